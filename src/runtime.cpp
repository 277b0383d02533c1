// What of runtime/ no template touches, compiled once.
#include <transept/runtime/impl/thread_pool.hpp>
#include <transept/runtime/impl/workspace.hpp>
