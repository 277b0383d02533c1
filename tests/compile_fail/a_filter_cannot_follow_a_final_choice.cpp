// expect: nothing can follow greedy(), draw() or another final choice: put the filters before it
#include <transept/generate/sampling.hpp>

#ifdef TRANSEPT_CONTROL
auto sampler = transept::temperature(0.8) | transept::greedy();
#else
auto sampler = transept::greedy() | transept::temperature(0.8);
#endif
