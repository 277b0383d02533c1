// Lists of model types, for programs that read whatever folder they are given.
#pragma once

#include <string_view>
#include <type_traits>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Model types: `model_list<gpt2<any_gpt2>, llama<any_llama>>`.
template <class... Models>
struct model_list {};

/// All of both lists.
template <class... First, class... Second>
constexpr model_list<First..., Second...> joined(model_list<First...>, model_list<Second...>) {
  return {};
}

/// Calls f(std::type_identity<Model>) for each.
template <class... Models, class F>
void for_each_model(model_list<Models...>, F&& f) {
  (f(std::type_identity<Models>{}), ...);
}

} // namespace transept::inline TRANSEPT_ABI
