// How a sentence-transformers folder is read, and what its modules compute (encode/sentence_modules.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/encode/sentence_modules.hpp>
#include <transept/io/checkpoint.hpp>
#include <transept/io/config_reader.hpp>
#include <transept/io/model_config.hpp>
#include <transept/io/tensor_rows.hpp>
#include <transept/kernels/activation.hpp>
#include <transept/tensor/buffer.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

struct named_pooling {
  sentence_pooling pooling;
  const char* key;  ///< true in the older form of 1_Pooling/config.json
  const char* name; ///< pooling_mode in the newer
};

/// In the order in which several stand side by side.
inline constexpr named_pooling sentence_poolings[]{
    {sentence_pooling::first, "pooling_mode_cls_token", "cls"},
    {sentence_pooling::max, "pooling_mode_max_tokens", "max"},
    {sentence_pooling::mean, "pooling_mode_mean_tokens", "mean"},
    {sentence_pooling::mean_sqrt_len, "pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens"},
    {sentence_pooling::weighted_mean, "pooling_mode_weightedmean_tokens", "weightedmean"},
    {sentence_pooling::last, "pooling_mode_lasttoken", "lasttoken"}};

inline bool file_is_there(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

inline void read_pooling(const std::filesystem::path& path, sentence_modules& modules) {
  const json root = read_config_json(path);
  const config_reader f(root, path.string());
  modules.poolings.clear();
  if (const json* const mode = f.find("pooling_mode", true)) {
    for (const named_pooling& each : sentence_poolings)
      if (config_reader::text_of(*mode) == each.name) modules.poolings.push_back(each.pooling);
    if (modules.poolings.empty())
      f.fail("pooling_mode", "cls, max, mean, mean_sqrt_len_tokens, weightedmean or lasttoken", *mode);
  } else {
    bool says_mean = false;
    for (const named_pooling& each : sentence_poolings) {
      bool is_on = false;
      f.boolean(each.key, is_on);
      if (is_on) modules.poolings.push_back(each.pooling);
      says_mean = says_mean || (each.pooling == sentence_pooling::mean && f.find(each.key) != nullptr);
    }
    if (modules.poolings.empty() && says_mean) f.fail("expected one pooling_mode_… that is true");
    if (modules.poolings.empty()) modules.poolings.push_back(sentence_pooling::mean);
  }
  f.boolean("include_prompt", modules.pools_prompt);
}

/// "torch.nn.modules.activation.Tanh".
inline std::optional<activation_type> torch_activation(const config_reader& f, std::string_view key) {
  const json* const found = f.find(key, true);
  const std::string_view name = found == nullptr ? "Tanh" : config_reader::text_of(*found);
  const std::string_view type = name.substr(name.rfind('.') + 1);
  if (type == "Identity") return std::nullopt;
  if (type == "Tanh") return activation_type::tanh;
  if (type == "ReLU") return activation_type::relu;
  if (type == "GELU") return activation_type::gelu_erf;
  if (type == "SiLU") return activation_type::silu;
  if (type == "Sigmoid") return activation_type::sigmoid;
  f.fail(key, "torch's Identity, Tanh, ReLU, GELU, SiLU or Sigmoid", *found);
}

/// The numbers of a tensor of this shape, in memory that `owner` keeps.
inline const float* read_floats(const checkpoint& weights, std::string_view name,
                                const std::vector<std::uint64_t>& shape, weight_owner& owner) {
  const stored_tensor* const tensor = weights.find(name);
  if (tensor == nullptr || tensor->shape != shape || !element_reader::reads(tensor->dtype))
    throw shape_error(
        weights.folder().string() + ": tensor " + std::string(name) + ": expected " + shape_text(shape) +
        " of F32, F16 or BF16, found " +
        (tensor == nullptr ? "none of that name" : shape_text(tensor->shape) + " of " + tensor->dtype));
  std::size_t count = 1;
  for (const std::uint64_t n : shape) count *= static_cast<std::size_t>(n);
  auto numbers = std::make_shared<buffer<float>>(count);
  element_reader(tensor->dtype).read(tensor->bytes.data(), count, numbers->data());
  const float* const data = numbers->data();
  owner.keep(std::move(numbers));
  return data;
}

inline void read_dense(const std::filesystem::path& folder, sentence_modules& modules) {
  const json root = read_config_json(folder / "config.json");
  const config_reader f(root, (folder / "config.json").string());
  int in = 0, out = 0;
  f.count({"in_features"}, in, config_limits::width);
  f.count({"out_features"}, out, config_limits::width);
  if (in == 0 || out == 0) f.fail("expected in_features and out_features");
  bool has_bias = true;
  f.boolean("bias", has_bias);
  const checkpoint weights = checkpoint::open(folder);
  const auto rows = static_cast<std::uint64_t>(out), cols = static_cast<std::uint64_t>(in);
  sentence_dense dense{.layer = linear<dyn, dyn>::shaped(in, out, has_bias),
                       .activation = torch_activation(f, "activation_function")};
  dense.layer.weight = {read_floats(weights, "linear.weight", {rows, cols}, modules.memory),
                        element_type::f32, in, out, matrix_layout::transposed};
  if (has_bias) dense.layer.bias = {read_floats(weights, "linear.bias", {rows}, modules.memory), out};
  modules.dense.push_back(std::move(dense));
}

inline void read_prompts(const std::filesystem::path& path, sentence_modules& modules) {
  const json root = read_config_json(path);
  const config_reader f(root, path.string());
  if (const json* const prompts = f.find("prompts", true)) {
    if (!prompts->is_object()) f.fail("prompts", "an object", *prompts);
    for (const auto& [name, text] : prompts->items()) {
      if (!text.is_string()) f.fail("prompts", "an object of texts", *prompts);
      modules.prompts[name] = text.get<std::string>();
    }
  }
  if (const json* const name = f.find("similarity_fn_name", true)) {
    modules.similarity = config_reader::text_of(*name);
    if (modules.similarity != "cosine" && modules.similarity != "dot")
      f.fail("similarity_fn_name", "\"cosine\" or \"dot\"", *name);
  }
  if (const json* const name = f.find("default_prompt_name", true)) {
    modules.default_prompt = config_reader::text_of(*name);
    if (!modules.prompts.contains(modules.default_prompt))
      f.fail("default_prompt_name", "one of the prompts", *name);
  }
}

/// to [width] = the states of tokens [begin, end), pooled; the first `skip` of them count only as a first
/// token, and as places.
inline void pool_text(sentence_pooling pooling, const float* states, std::size_t width, std::size_t begin,
                      std::size_t end, std::size_t skip, float* to) {
  if (pooling == sentence_pooling::first) return void(std::copy_n(states + begin * width, width, to));
  if (pooling == sentence_pooling::last) return void(std::copy_n(states + (end - 1) * width, width, to));
  const auto weight_of = [&](std::size_t t) {
    return pooling == sentence_pooling::weighted_mean ? static_cast<double>(t - begin + 1) : 1.0;
  };
  double weights = 0;
  for (std::size_t t = begin + skip; t < end; ++t) weights += weight_of(t);
  const double divisor = pooling == sentence_pooling::mean_sqrt_len
                             ? std::sqrt(static_cast<double>(end - begin - skip))
                             : weights;
  for (std::size_t i = 0; i < width; ++i) {
    float most = states[(begin + skip) * width + i];
    double sum = 0;
    for (std::size_t t = begin + skip; t < end; ++t) {
      const float value = states[t * width + i];
      most = std::max(most, value);
      sum += weight_of(t) * double{value};
    }
    to[i] = pooling == sentence_pooling::max ? most : static_cast<float>(sum / divisor);
  }
}

/// A folder of a module, which lies in `folder`. Throws config_error.
inline std::filesystem::path module_folder(const std::filesystem::path& folder, const config_reader& f) {
  const json* const path = f.find("path", true);
  const std::filesystem::path inside(std::string(path == nullptr ? "" : config_reader::text_of(*path)));
  const bool leaves = std::ranges::any_of(inside, [](const auto& part) { return part == ".."; });
  if (inside.is_absolute() || leaves) f.fail("path", "a folder in this one", *path);
  std::filesystem::path place = (folder / inside).lexically_normal();
  return place.has_filename() ? place : place.parent_path();
}

} // namespace detail

TRANSEPT_FUNCTION std::size_t sentence_modules::output_width(std::size_t width) const {
  return dense.empty() ? poolings.size() * width : static_cast<std::size_t>(dense.back().layer.weight.cols());
}

TRANSEPT_FUNCTION void check_widths(const sentence_modules& modules, std::size_t width) {
  std::size_t found = modules.poolings.size() * width;
  for (const sentence_dense& dense : modules.dense) {
    const auto wanted = static_cast<std::size_t>(dense.layer.weight.rows());
    if (wanted != found)
      throw config_error(modules.encoder.string() + ": in_features: expected " + std::to_string(found) +
                         ", what the module before gives, found " + std::to_string(wanted));
    found = static_cast<std::size_t>(dense.layer.weight.cols());
  }
}

TRANSEPT_FUNCTION sentence_modules read_sentence_modules(const std::filesystem::path& folder) {
  sentence_modules modules;
  modules.encoder = folder;
  const auto read_limit = [&](const std::filesystem::path& place) {
    for (const char* const kind : {"bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta"}) {
      const auto path = place / ("sentence_" + std::string(kind) + "_config.json");
      if (!detail::file_is_there(path)) continue;
      const json root = read_config_json(path);
      const config_reader f(root, path.string());
      int most = 0;
      if (f.find("max_seq_length", true) != nullptr)
        f.count({"max_seq_length"}, most, config_limits::n_positions);
      if (most > 0) modules.most_tokens = static_cast<std::size_t>(most);
      f.boolean("do_lower_case", modules.lowers_case);
      return;
    }
  };
  if (const auto list = folder / "modules.json"; detail::file_is_there(list)) {
    const json root = read_config_json(list);
    if (!root.is_array())
      throw config_error(list.string() + ": expected a list of modules, found " + described(root));
    constexpr std::array<std::string_view, 4> order{"Transformer", "Pooling", "Dense", "Normalize"};
    std::size_t next = 0; // what may come now, or what is behind it in the order
    for (const json& module : root) {
      const config_reader f(module, list.string());
      const json* const type = f.find("type", true);
      const std::string_view name = type == nullptr ? "" : config_reader::text_of(*type);
      const std::string_view kind = name.substr(name.rfind('.') + 1);
      const auto step = static_cast<std::size_t>(std::ranges::find(order, kind) - order.begin());
      if (step == order.size() || step < next || (next < 2 && step != next))
        f.fail("type: expected sentence_transformers' Transformer, Pooling, perhaps Dense, perhaps "
               "Normalize, in "
               "this order, found " +
               quoted(name));
      next = kind == "Dense" ? step : step + 1;
      const std::filesystem::path place = detail::module_folder(folder, f);
      if (kind == "Transformer") {
        modules.encoder = place;
        read_limit(place);
      } else if (kind == "Pooling") {
        detail::read_pooling(place / "config.json", modules);
      } else if (kind == "Dense") {
        detail::read_dense(place, modules);
      } else {
        modules.normalizes = true;
      }
    }
    if (next < 2) throw config_error(list.string() + ": expected a Transformer and a Pooling");
  } else {
    read_limit(folder);
  }
  if (const auto prompts = folder / "config_sentence_transformers.json"; detail::file_is_there(prompts))
    detail::read_prompts(prompts, modules);
  return modules;
}

TRANSEPT_FUNCTION void apply(const sentence_modules& modules, compute_context& context, const float* states,
                             std::size_t width, std::span<const std::size_t> offsets,
                             std::span<const std::size_t> skipped, float* out) {
  check_widths(modules, width);
  const std::size_t texts = offsets.size() - 1, poolings = modules.poolings.size();
  workspace::scope scope(context.memory);
  auto vectors = scope.take<dyn>(static_cast<extent>(texts), static_cast<extent>(poolings * width));
  parallel_for(context.threads, texts, 1, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t s = begin; s < end; ++s) {
      const std::size_t skip = skipped.empty() ? 0 : std::min(skipped[s], offsets[s + 1] - offsets[s] - 1);
      for (std::size_t p = 0; p < poolings; ++p)
        detail::pool_text(modules.poolings[p], states, width, offsets[s], offsets[s + 1], skip,
                          vectors.data() + (s * poolings + p) * width);
    }
  });
  for (const sentence_dense& dense : modules.dense) {
    const auto next = scope.take<dyn>(vectors.rows(), dense.layer.weight.cols());
    forward(dense.layer, context, vectors, next, {.activation = dense.activation});
    vectors = next;
  }
  const auto length = static_cast<std::size_t>(vectors.cols());
  for (std::size_t s = 0; s < texts; ++s) {
    const float* const from = vectors.data() + s * length;
    double squares = 0;
    for (std::size_t i = 0; i < length; ++i) squares += double{from[i]} * double{from[i]};
    const double scale = modules.normalizes ? 1 / std::max(std::sqrt(squares), 1e-12) : 1.0;
    for (std::size_t i = 0; i < length; ++i)
      out[s * length + i] = static_cast<float>(double{from[i]} * scale);
  }
}

} // namespace transept::inline TRANSEPT_ABI
