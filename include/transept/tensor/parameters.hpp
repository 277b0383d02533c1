// The one walk over a model's parameters: the source for loading, saving, counting and initialising (and,
// with several aggregates in step, for optimizers).
//
// An aggregate describes itself with a static list of named members:
//
//   template <extent In, extent Out> struct linear {
//     weight_matrix<In, Out> weight;
//     weight_vector<Out> bias;
//     static constexpr auto members = members_of(member{"weight", &linear::weight},
//                                                member{"bias", &linear::bias});
//   };
//
// and the walk visits every leaf with its full dotted name, "blocks.0.attention.output.weight", in
// declaration order. A model that has `names` (tensor/names.hpp) is walked under Hugging Face's:
// "h.0.attn.c_proj.weight". A leaf without elements (a layer's bias that is not there) is passed by.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <transept/core/version.hpp>
#include <transept/tensor/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A name beside a pointer to member.
template <class Class, class Type>
struct member {
  std::string_view name; ///< what the member is called here
  Type Class::*pointer;  ///< where it is in its class
};
/// Of a member whose name is a literal.
template <class Class, class Type>
member(const char*, Type Class::*) -> member<Class, Type>;

namespace detail {

template <std::size_t I, class Member>
struct listed_member {
  Member value;
};

template <class Indices, class... Members>
struct member_list;
template <std::size_t... I, class... Members>
struct member_list<std::index_sequence<I...>, Members...> : listed_member<I, Members>... {
  static constexpr std::size_t size = sizeof...(Members);
};

template <std::size_t I, class Member>
constexpr const Member& member_at(const listed_member<I, Member>& list) {
  return list.value;
}

} // namespace detail

/// A list of members. (A std::tuple would say the same, and cost a compiler ten times as much.)
template <class... Members>
constexpr detail::member_list<std::index_sequence_for<Members...>, Members...> members_of(
    Members... members) {
  return {{members}...};
}

/// A leaf of the walk: a stored vector or matrix.
template <class T>
concept parameter_leaf = requires {
  std::remove_cvref_t<T>::rank;
};

/// An aggregate with named members.
template <class T>
concept parameter_group = requires {
  std::remove_cvref_t<T>::members;
};

namespace detail {

template <class T>
inline constexpr bool is_array = false;
template <class T, std::size_t N>
inline constexpr bool is_array<std::array<T, N>> = true;
template <class T>
inline constexpr bool is_array<std::vector<T>> = true;

inline void append_name(std::string& path, std::string_view name) {
  if (!path.empty()) path += '.';
  path += name;
}

template <class F, class First, class... Rest>
void walk_parameters(F& visit, std::string& path, First& first, Rest&... rest) {
  using type = std::remove_cv_t<First>;
  const std::size_t length = path.size();
  if constexpr (parameter_leaf<type>) {
    if constexpr (!type::never_there)
      if (first.size() != 0) visit(std::string_view(path), first, rest...);
  } else if constexpr (is_array<type>) {
    for (std::size_t i = 0; i < first.size(); ++i) {
      std::array<char, 24> digits;
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), i).ptr;
      append_name(path, {digits.data(), end});
      walk_parameters(visit, path, first[i], rest[i]...);
      path.resize(length);
    }
  } else {
    static_assert(parameter_group<type>,
                  "a layer must list its parameters: static constexpr auto members = "
                  "transept::members_of(transept::member{\"weight\", &my_layer::weight}, ...)");
    const auto walk_member = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
      append_name(path, member_at<I>(type::members).name);
      walk_parameters(visit, path, first.*(member_at<I>(type::members).pointer),
                      rest.*(member_at<I>(std::remove_cv_t<Rest>::members).pointer)...);
      path.resize(length);
    };
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (walk_member(std::integral_constant<std::size_t, I>{}), ...);
    }
    (std::make_index_sequence<type::members.size>{});
  }
}

} // namespace detail

/// Calls `visit(name, leaf...)` for every parameter of one aggregate, or of several of the same structure in
/// step (`for_each_parameter(f, model, gradient)`; their storage may differ), in declaration order.
template <class F, class Aggregate, class... Others>
void for_each_parameter(F&& visit, Aggregate& aggregate, Others&... others) {
  std::string path;
  if constexpr (requires { std::remove_cv_t<Aggregate>::names; }) {
    const model_names names = names_of(aggregate);
    auto translated = [&](std::string_view here, auto&... leaves) {
      const std::string name = huggingface_name(names, here);
      visit(std::string_view(name), leaves...);
    };
    detail::walk_parameters(translated, path, aggregate, others...);
  } else {
    detail::walk_parameters(visit, path, aggregate, others...);
  }
}

/// The same under the names that members have here, also of a model that has `names`.
template <class F, class Aggregate, class... Others>
void for_each_parameter_here(F&& visit, Aggregate& aggregate, Others&... others) {
  std::string path;
  detail::walk_parameters(visit, path, aggregate, others...);
}

/// The number of leaves: of parameters that have a name.
template <class Aggregate>
std::size_t leaf_count(const Aggregate& aggregate) {
  std::size_t count = 0;
  for_each_parameter([&](std::string_view, const auto&) { ++count; }, aggregate);
  return count;
}

/// The number of scalars in all parameters; shared (tied) ones are counted once.
template <class Aggregate>
std::size_t count_parameters(const Aggregate& aggregate) {
  std::size_t count = 0;
  for_each_parameter(
      [&](std::string_view, const auto& leaf) { count += static_cast<std::size_t>(leaf.size()); }, aggregate);
  return count;
}

} // namespace transept::inline TRANSEPT_ABI
