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
#include <transept/models/encoder_head.hpp>
#include <transept/models/family.hpp>

namespace transept::inline TRANSEPT_ABI {

struct rotary_settings;

/// The text of a config.json. What a `describe` calls is called as config_reader has it; arguments without a
/// name are what reading alone needs. Keys stand in the order in which they were added.
class config_writer {
public:
  static constexpr bool reading = false; ///< for a `describe` that has to tell it from config_reader

  /// A file of this model_type, which architecture() begins.
  explicit config_writer(std::string_view model_type) : model_type_(model_type) {}

  std::string_view model_type() const { return model_type_; } ///< as it was given
  /// The object's text.
  std::string text() const { return text_ + "\n}\n"; }

  /// Begins the object: `architectures`, a list of this one, and model_type. Comes before all else.
  void architecture(std::string_view name);
  /// A key whose value is JSON already.
  void add(std::string_view key, const std::string& value);

  /// A number that is read from another key.
  void copy(std::string_view key, int value);
  /// Under the first of `keys`.
  void count(std::initializer_list<std::string_view> keys, int value, int);
  void older_count(std::string_view, int, int) {} ///< nothing
  /// null where it is `otherwise`.
  void count_or_null(std::string_view key, int value, int otherwise, int);
  /// head_dim, if it is not width / heads or `otherwise` is given; else nothing.
  void head_width(std::string_view, int width, std::string_view, int heads, int value,
                  std::optional<int> otherwise = std::nullopt);
  /// The heads of keys and values.
  void shared_heads(std::string_view key, std::string_view, int, int value,
                    std::optional<int> = std::nullopt);
  void boolean(std::string_view key, bool value);             ///< true or false
  void choice(std::string_view key, transept::choice value);  ///< true or false: it is known
  void ignored_boolean(std::string_view) {}                   ///< nothing
  void must_be(std::string_view, bool, const std::string&) {} ///< nothing: absent, it has its value
  void must_be_text(std::string_view, std::string_view, const std::string&) {} ///< nothing
  void text(std::string_view key, const std::string& value);                   ///< nothing where it is empty
  /// Begins the object, as architecture() does.
  void encoder_head(std::string_view model, transept::encoder_head head);
  /// id2label and label2id, of `count` labels: LABEL_2, … where they have no names.
  void labels(std::vector<std::string> value, int count);
  void epsilon(std::string_view key, float value); ///< the shortest that reads back as it
  /// The same; null where it is `null_is`.
  void positive(std::string_view key, float value, std::optional<float> null_is = std::nullopt);
  /// Its name in `own`, if it is there, else name_of it.
  void activation(std::string_view key, activation_type value, bool = false,
                  std::initializer_list<named_activation> own = {});
  /// null where there is none.
  void token(std::string_view key, std::optional<token_id> value, std::optional<token_id>, int);
  /// null for none, a number for one, else a list.
  void tokens(std::string_view key, const std::vector<token_id>& ids, std::vector<token_id>, int);
  /// sliding_window and layer_types, where a block slides. `of_all`: of a family whose blocks all slide by
  /// default, so that layer_types is written where one does not, and null as sliding_window where none does.
  void windows(const layer_windows& value, int, bool of_all = false);
  /// An array of 0 and 1; null for an empty list.
  void rotating_layers(std::string_view key, const std::vector<bool>& value, int);
  /// How many numbers of a head are turned.
  void rotary_width(std::string_view key, const rotary_settings& value, int, int);
  /// attention_types, each layer's, attention_layers, and window_size.
  void local_layers(const layer_windows& value, int n_layer);
  /// An object that f(writer of it) fills.
  template <class F>
  void object(std::string_view key, F&& f) {
    config_writer inner(model_type_);
    f(inner);
    add_object(key, inner);
  }
  /// rope_parameters and, saying the same, the older keys.
  void rotary(const rotary_settings& value, int head_width, int, const rotary_keys& keys = {});

private:
  void add_object(std::string_view key, const config_writer& inner);

  std::string model_type_, text_;
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/config_writer.hpp>
#include <transept/io/impl/encoder_fields.hpp>
#include <transept/io/impl/rotary_fields.hpp>
#endif
