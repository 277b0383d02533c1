// Writes the fields of a config.json, as a family describes them, so that Hugging Face and config_reader read
// them back.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/activation.hpp>
#include <transept/core/types.hpp>
#include <transept/models/family.hpp>

namespace transept::inline TRANSEPT_ABI {

struct rotary_settings;

class config_writer {
public:
  static constexpr bool reading = false;

  explicit config_writer(std::string_view model_type) : model_type_(model_type) {}

  std::string_view model_type() const { return model_type_; }
  /// The object's text.
  std::string text() const { return text_ + "\n}\n"; }

  void architecture(std::string_view name);
  void add(std::string_view key, const std::string& value);

  void copy(std::string_view key, int value);
  void count(std::initializer_list<std::string_view> keys, int value, int);
  void count_or_null(std::string_view key, int value, int otherwise, int);
  void head_width(std::string_view, int width, std::string_view, int heads, int value,
                  std::optional<int> otherwise = std::nullopt);
  void shared_heads(std::string_view key, std::string_view, int, int value,
                    std::optional<int> = std::nullopt);
  void boolean(std::string_view key, bool value);
  void choice(std::string_view key, transept::choice value);
  void ignored_boolean(std::string_view) {}
  void must_be(std::string_view, bool, const std::string&) {}
  void epsilon(std::string_view key, float value);
  void positive(std::string_view key, float value, std::optional<float> null_is = std::nullopt);
  void activation(std::string_view key, activation_type value, bool = false,
                  std::initializer_list<named_activation> own = {});
  void token(std::string_view key, std::optional<token_id> value, std::optional<token_id>, int);
  void tokens(std::string_view key, const std::vector<token_id>& ids, std::vector<token_id>, int);
  void windows(const layer_windows& value, int, bool of_all = false);
  void rotating_layers(std::string_view key, const std::vector<bool>& value, int);
  void rotary(const rotary_settings& value, int head_width, int, const rotary_keys& keys = {});

private:
  std::string model_type_, text_;
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/config_writer.hpp>
#include <transept/io/impl/rotary_fields.hpp>
#endif
