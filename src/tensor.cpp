// What of tensor/ no template touches, compiled once.
#include <transept/tensor/impl/names.hpp>
