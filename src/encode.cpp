// What of encode/ no template touches, compiled once.
#include <transept/encode/impl/encode.hpp>
#include <transept/encode/impl/encoder_session.hpp>
