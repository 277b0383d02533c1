// What of core/ no template touches, compiled once.
#include <transept/core/impl/element_type.hpp>
