// What of core/ no template touches, compiled once.
#include <transept/core/impl/display.hpp>
#include <transept/core/impl/element_type.hpp>
#include <transept/core/impl/json.hpp>
