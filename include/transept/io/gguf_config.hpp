// The configuration of a model, from the metadata of its GGUF file.
//
// A family that llama.cpp knows says how its keys are read and written (gpt2/gguf.hpp). Any other, and a
// model of such a family that those keys cannot express, is written under an architecture of our own,
// "transept", with its config.json as one key: other programs refuse it rather than compute something else.
//
// The vocabulary's size is that of token_embd.weight. The output is tied to the embedding where there is no
// output.weight, or where it is, byte for byte, a copy of token_embd.weight (which older converters wrote);
// any other is an output of its own.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/io/gguf.hpp>
#include <transept/io/model_config.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A family whose models have an architecture of their own in GGUF files.
template <class Family>
concept gguf_family = requires {
  Family::gguf_architecture;
};

/// The architecture of all others.
inline constexpr std::string_view own_architecture = "transept";
/// The key of their config.json.
inline constexpr std::string_view own_config_key = "transept.config";

/// Reads the metadata of one file, with the file's name in every complaint.
class gguf_reader {
public:
  explicit gguf_reader(const gguf_file& file) : file_(file) {} ///< `file` must outlive it

  const gguf_metadata& metadata() const { return file_.metadata(); } ///< the file's

  /// Throws config_error: "m.gguf: key "…": expected …, found …".
  [[noreturn]] void fail(std::string_view key, const std::string& expected, const std::string& found) const;

  /// A count from 1 to `limit`; nothing where the key is missing.
  std::optional<int> optional_count(std::string_view key, int limit) const;

  /// The same of a key that must be there.
  int count(std::string_view key, int limit) const;

  /// Throws unless the file is whole, and of architecture `name`.
  void check_architecture(std::string_view name) const;

  /// Of keys that begin with the architecture's name and a dot, `prefix`.
  int head_width(const std::string& prefix, int n_embd, int n_head) const;

  /// Positive, and a normal number as f32; the key must be there.
  float epsilon(std::string_view key) const;

  /// Rows of the token embedding. (That it is as wide as the keys say is checked when it is loaded.)
  int vocab_size() const;

  /// The output's bytes are compared only where type and shape agree, and, where they differ, only up to the
  /// first difference; both are in the page cache then, and leave this process's memory again.
  bool is_tied() const;

  /// A token's id; nothing where the key is missing or the id is outside the vocabulary.
  std::optional<token_id> token(std::string_view key, int vocab_size) const;

private:
  const gguf_file& file_;
};

/// The model_type of the config.json in a file of our own architecture; nothing for any other file.
TRANSEPT_FUNCTION std::optional<std::string> own_model_type(const gguf_file& file);

/// Whether a model of this family is in the file.
template <model_family Family>
bool is_of_family(const gguf_file& file) {
  if constexpr (gguf_family<Family>)
    if (file.metadata().text("general.architecture") == Family::gguf_architecture) return true;
  const auto type = own_model_type(file);
  return type && detail::is_of_family<Family>(*type);
}

/// What the file's metadata says of the model, in Hugging Face's words. Throws format_error for a key of the
/// wrong type, config_error for one that is missing or holds what no model can have, shape_error for a token
/// embedding that is none.
template <model_family Family>
model_config<Family> read_config(const gguf_file& file) {
  const gguf_reader reader(file);
  if constexpr (gguf_family<Family>)
    if (file.metadata().text("general.architecture") != own_architecture) {
      reader.check_architecture(Family::gguf_architecture);
      model_config<Family> config;
      Family::read_gguf(reader, config.shape, config.settings);
      return config;
    }
  reader.check_architecture(own_architecture);
  const auto text = file.metadata().text(own_config_key);
  if (!text) reader.fail(own_config_key, "a config.json", "no such key");
  return parse_config<Family>(*text, file.path().string() + ": key " + quoted(own_config_key));
}

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/gguf_config.hpp>
#endif
