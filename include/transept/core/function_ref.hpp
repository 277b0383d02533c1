// A reference to something that can be called, for functions that are compiled once and still ask their
// caller for something (C++26 has it as std::function_ref). It must not outlive what it refers to.
#pragma once

#include <memory>
#include <type_traits>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

template <class Signature>
class function_ref;

/// Two pointers, passed by value; nothing is allocated.
template <class Result, class... Arguments>
class function_ref<Result(Arguments...)> {
public:
  /// Refers to `f`, a temporary too: it may be called until `f` is gone.
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, function_ref>) function_ref(F&& f)
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(f)))),
        call_([](void* object, Arguments... arguments) -> Result {
          return (*static_cast<std::remove_reference_t<F>*>(object))(arguments...);
        }) {}

  /// Calls what it refers to.
  Result operator()(Arguments... arguments) const { return call_(object_, arguments...); }

private:
  void* object_;
  Result (*call_)(void*, Arguments...);
};

} // namespace transept::inline TRANSEPT_ABI
