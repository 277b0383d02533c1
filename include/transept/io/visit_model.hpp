// The run-time door: the user has a folder or a GGUF file, the program has a closed list of model types.
//
//   visit_model<gpt2<gpt2_small.any_vocabulary()>, gpt2<gpt2_medium.any_vocabulary()>>(folder, [](auto model)
//   {
//     …                                                      // compiled once for each type in the list
//   });
#pragma once

#include <filesystem>
#include <string>
#include <type_traits>
#include <utility>

#include <transept/core/error.hpp>
#include <transept/io/load_model.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// A compiled shape in one line: "4 layers, width 256, 4 heads of 64".
inline std::string shape_in_words(const gpt2_config& config) {
  return std::to_string(config.n_layer) + " layers, width " + std::to_string(config.n_embd) + ", " +
         std::to_string(config.n_head) + " heads of " + std::to_string(config.head_width);
}

template <class Result, class First, class... Rest, class F>
Result visit_first_match(const model_files& files, const load_options& options, std::string& differences,
                         F&& f) {
  const std::string difference = shape_difference(files.config(), First::config);
  if (difference.empty()) return std::forward<F>(f)(load<First>(files, options));
  differences += "\n    " + shape_in_words(First::config) + ": " + difference;
  if constexpr (sizeof...(Rest) > 0) {
    return visit_first_match<Result, Rest...>(files, options, differences, std::forward<F>(f));
  } else {
    const std::string what = files.gguf() ? "file" : "folder";
    const std::string by_cmake = files.gguf()
                                     ? ""
                                     : " (or let CMake write it: transept_add_config(target my_model " +
                                           (files.path() / "config.json").string() + "))";
    throw shape_error(files.path().string() + ": no compiled model has the shape of this " + what +
                      "\n  To run it, declare\n    " + to_declaration(files.config(), "my_model") +
                      "\n  and add transept::gpt2<my_model> to the list" + by_cmake +
                      "\n  What differs from the compiled models:" + differences);
  }
}

} // namespace detail

/// Reads the folder's config.json or the GGUF file's metadata, loads the first of `Models` that has its shape
/// (types with `dyn` extents match any), and returns what `f` makes of it; `f` must return the same type for
/// each.
/// Throws what load does; shape_error with the declaration to add where none matches.
template <class... Models, class F>
auto visit_model(const std::filesystem::path& path, const load_options& options, F&& f) {
  static_assert(sizeof...(Models) > 0, "visit_model<Models...>: name at least one model type");
  using result = std::common_type_t<std::invoke_result_t<F&, Models>...>;
  std::string differences;
  return detail::visit_first_match<result, Models...>(model_files::open(path), options, differences,
                                                      std::forward<F>(f));
}

template <class... Models, class F>
auto visit_model(const std::filesystem::path& path, F&& f) {
  return visit_model<Models...>(path, load_options{}, std::forward<F>(f));
}

} // namespace transept::inline TRANSEPT_ABI
