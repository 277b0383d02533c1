// The configuration of a model, from the metadata of its GGUF file.
//
// A family that llama.cpp knows has a table of what its keys are in config.json
// (models/gguf_architecture.hpp); they are put in Hugging Face's words and read as every config.json is. Any
// other family, and a model that those keys cannot express, is written under an architecture of our own,
// "transept", with its config.json as one key: other programs refuse it rather than compute something else.
//
// The vocabulary's size is that of token_embd.weight. The output is tied to the embedding where there is no
// output.weight, or where it is, byte for byte, a copy of token_embd.weight (which older converters wrote);
// any other is an output of its own.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json_fwd.hpp>
#include <transept/io/gguf.hpp>
#include <transept/io/model_config.hpp>
#include <transept/models/gguf_architecture.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A family whose models have architectures of their own in GGUF files.
template <class Family>
concept gguf_family = requires {
  Family::gguf;
};

/// The key of the config.json of all others, whose architecture is own_architecture.
inline constexpr std::string_view own_config_key = "transept.config";

/// What of a GGUF file its model's configuration follows from: of a file, or of one that is to be written.
struct gguf_source {
  const gguf_metadata* metadata; ///< the keys, which must outlive this
  std::string name;              ///< the file's, for messages
  int vocab_size;                ///< rows of the token embedding
  bool is_tied;                  ///< whether the output is the token embedding
  /// The numbers of the vector of this name; nothing where there is none. (Factors of rotary frequencies.)
  std::function<std::vector<float>(std::string_view)> vector;
  std::function<bool(std::string_view)> has; ///< whether there is a tensor of this name
};

/// What a file has, which must outlive it. Throws shape_error for a token embedding that is none,
/// config_error for a file that is not whole.
TRANSEPT_FUNCTION gguf_source source_of(const gguf_file& file);

/// The same in the words of a config.json of architecture.model_type. Throws format_error for a key of the
/// wrong type, config_error for one that is missing or holds what no model can have.
TRANSEPT_FUNCTION std::shared_ptr<const json> config_document_of(const gguf_source& source,
                                                                 const gguf_architecture& architecture);

/// The family's architecture of this name, or nullptr.
template <model_family Family>
const gguf_architecture* find_architecture(std::optional<std::string_view> name) {
  if constexpr (gguf_family<Family>)
    for (const gguf_architecture& each : Family::gguf)
      if (name == each.name) return &each;
  return nullptr;
}

/// The model_type of the config.json in a file of our own architecture; nothing for any other file.
TRANSEPT_FUNCTION std::optional<std::string> own_model_type(const gguf_file& file);

/// Whether a model of this family is in the file.
template <model_family Family>
bool is_of_family(const gguf_file& file) {
  if (find_architecture<Family>(file.metadata().text("general.architecture")) != nullptr) return true;
  const auto type = own_model_type(file);
  return type && detail::is_of_family<Family>(*type);
}

namespace detail {

/// Throws config_error: the file's architecture is none of those that are known.
[[noreturn]] TRANSEPT_FUNCTION void refuse_architecture(const gguf_file& file,
                                                        std::span<const gguf_architecture> known);

/// The text of a file of our own architecture. Throws config_error where it has none.
TRANSEPT_FUNCTION std::string_view own_config(const gguf_file& file);

/// Throws config_error where the heads of keys are not the model's.
TRANSEPT_FUNCTION void check_key_heads(const gguf_source& source, const gguf_architecture& architecture,
                                       extent heads, extent key_value_heads);

} // namespace detail

/// The configuration of a model of this architecture. Throws as config_document_of and parse_config do.
template <gguf_family Family>
model_config<Family> read_config(const gguf_source& source, const gguf_architecture& architecture) {
  auto config = parse_config<Family>(*config_document_of(source, architecture), source.name);
  const attention_extents attention = config.shape.attention();
  detail::check_key_heads(source, architecture, attention.heads, attention.key_value_heads);
  return config;
}

/// What the file's metadata says of the model, in Hugging Face's words. Throws as above; shape_error for a
/// token embedding that is none.
template <model_family Family>
model_config<Family> read_config(const gguf_file& file) {
  const auto name = file.metadata().text("general.architecture");
  if constexpr (gguf_family<Family>)
    if (name != own_architecture) {
      const gguf_architecture* const architecture = find_architecture<Family>(name);
      if (architecture == nullptr) detail::refuse_architecture(file, Family::gguf);
      return read_config<Family>(source_of(file), *architecture);
    }
  if (name != own_architecture) detail::refuse_architecture(file, {});
  return parse_config<Family>(detail::own_config(file),
                              file.path().string() + ": key " + quoted(own_config_key));
}

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/gguf_config.hpp>
#endif
