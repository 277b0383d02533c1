// What of models/ no template touches, compiled once.
#include <transept/models/impl/convert.hpp>
