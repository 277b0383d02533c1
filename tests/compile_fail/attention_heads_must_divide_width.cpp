// expect: attention: the width must be divisible by the number of heads unless the head
#include <transept/layers/attention.hpp>

#ifdef TRANSEPT_CONTROL
transept::multi_head_attention<100, 3, 33> layer;
#else
transept::multi_head_attention<100, 3> layer;
#endif
