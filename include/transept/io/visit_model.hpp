// The run-time door: the user has a folder or a GGUF file, the program has a closed list of model types.
//
//   visit_model<gpt2<gpt2_small.any_vocabulary()>, gpt2<any_gpt2>, llama<any_llama>>(folder, [](auto model) {
//     …                                                      // compiled once for each type in the list
//   });
//
// A type whose extents are all `dyn` matches any shape of its family.
#pragma once

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/io/load_model.hpp>
#include <transept/models/list.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// A compiled shape in one line: "n_embd 256, n_layer 4, …", as far as it is compiled.
template <class Config>
std::string shape_in_words(const Config& config) {
  std::string text;
  for_each_member<Config>([&](std::string_view name, auto pointer) {
    if constexpr (std::is_same_v<decltype(pointer), int Config::*>)
      if (const int value = config.*pointer; value != dyn)
        text += (text.empty() ? "" : ", ") + std::string(name) + " " + std::to_string(value);
  });
  return text;
}

/// All kinds of models that a list of models can read, as config.json or a GGUF file calls them: "expected
/// …".
template <class... Models>
std::string known_types(bool in_gguf) {
  std::vector<std::string_view> types;
  const auto add = [&](std::string_view type) {
    if (std::ranges::find(types, type) == types.end()) types.push_back(type);
  };
  const auto add_family = [&]<class Family>(std::type_identity<Family>) {
    if (!in_gguf)
      for (const std::string_view type : Family::model_types) add(type);
    else if constexpr (gguf_family<Family>)
      for (const gguf_architecture& each : Family::gguf) add(each.name);
    else
      add(own_architecture);
  };
  (add_family(std::type_identity<typename Models::family>{}), ...);
  std::string text;
  for (const std::string_view type : types) text += (text.empty() ? "" : ", ") + quoted(type);
  return (types.size() == 1 ? "" : "one of ") + text;
}

/// What there is to say where no model of a list fits the files.
struct mismatch {
  std::string differences; ///< of the shapes of each that is of the files' family
  std::string declaration; ///< of one that would fit, and what to do with it
};

/// Calls f(std::type_identity<Model>, config of the files) for the first of the models that has the files'
/// family and shape. Returns whether there was one.
template <class... Models, class F>
bool visit_match(const model_files& files, mismatch& found, F&& f) {
  bool done = false;
  const auto consider = [&]<class Model>(std::type_identity<Model> type) {
    using family = typename Model::family;
    if (done || !files.template is_of<family>()) return;
    const auto config = files.template config<family>();
    const std::string difference = shape_difference(config.shape, Model::static_config);
    if (difference.empty()) {
      done = true;
      return f(type, config);
    }
    found.differences += "\n    " + shape_in_words(Model::static_config) + ": " + difference;
    constexpr std::string_view template_name = family::config_name.substr(0, family::config_name.rfind('_'));
    if (found.declaration.empty())
      found.declaration = to_declaration<family>(config.shape, "my_model") +
                          "\n  and add transept::" + std::string(template_name) + "<my_model> to the list";
  };
  (consider(std::type_identity<Models>{}), ...);
  return done;
}

/// Throws for files that no model matched.
template <class... Models>
[[noreturn]] void fail_to_visit(const model_files& files, const mismatch& found) {
  if (found.declaration.empty())
    throw config_error((files.gguf() ? files.path() : files.path() / "config.json").string() + ": " +
                       (files.gguf() ? "key \"general.architecture\"" : "model_type") + ": expected " +
                       known_types<Models...>(files.gguf().has_value()) + ", found " + files.type_in_words());
  const std::string by_cmake = files.gguf()
                                   ? ""
                                   : " (or let CMake write it: transept_add_config(target my_model " +
                                         (files.path() / "config.json").string() + "))";
  throw shape_error(files.path().string() + ": no compiled model has the shape of this " +
                    (files.gguf() ? "file" : "folder") + "\n  To run it, declare\n    " + found.declaration +
                    by_cmake + "\n  What differs from the compiled models:" + found.differences);
}

} // namespace detail

/// Finds the first of the list's models that has the files' kind and shape (types with `dyn` extents match
/// any), and returns f(std::type_identity<Model>, model_config<…>), without reading weights. Throws what
/// reading the configuration does; config_error with the model types that are known where none is of the
/// kind, shape_error with the declaration to add where none has the shape.
template <class... Models, class F>
auto visit_config(model_list<Models...>, const model_files& files, F&& f) {
  static_assert(sizeof...(Models) > 0, "visit_model<Models...>: name at least one model type");
  using result = std::common_type_t<
      std::invoke_result_t<F&, std::type_identity<Models>, model_config<typename Models::family>>...>;
  detail::mismatch found;
  if constexpr (std::is_void_v<result>) {
    if (!detail::visit_match<Models...>(files, found, f)) detail::fail_to_visit<Models...>(files, found);
  } else {
    std::optional<result> made;
    const auto make = [&](auto type, const auto& config) { made.emplace(f(type, config)); };
    if (!detail::visit_match<Models...>(files, found, make)) detail::fail_to_visit<Models...>(files, found);
    return std::move(*made);
  }
}

/// Loads files that were opened before as the first of the list's models that has their kind and their shape,
/// and returns what `f` makes of the model; `f` must return the same type for each. Throws what visit_config
/// and load do.
template <class... Models, class F>
auto visit_model(model_list<Models...> models, const model_files& files, const load_options& options, F&& f) {
  // The result's type is told, so that to ask for it does not compile f: of a class that was compiled in a
  // question, clang 19 leaves the virtual functions out.
  return visit_config(
      models, files,
      [&]<class Model>(std::type_identity<Model>, const auto&) -> std::invoke_result_t<F&, Model> {
        return f(load<Model>(files, options));
      });
}

/// The same of the folder or GGUF file `path`.
template <class... Models, class F>
auto visit_model(model_list<Models...> models, const std::filesystem::path& path, const load_options& options,
                 F&& f) {
  return visit_model(models, model_files::open(path), options, std::forward<F>(f));
}

/// The same for models that are named one by one.
template <class... Models, class F>
auto visit_model(const std::filesystem::path& path, const load_options& options, F&& f) {
  return visit_model(model_list<Models...>{}, path, options, std::forward<F>(f));
}

/// The same with load_options as they are by default.
template <class... Models, class F>
auto visit_model(const std::filesystem::path& path, F&& f) {
  return visit_model<Models...>(path, load_options{}, std::forward<F>(f));
}

} // namespace transept::inline TRANSEPT_ABI
