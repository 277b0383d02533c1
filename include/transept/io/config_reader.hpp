// Reads the fields of a config.json, as a family describes them (models/gpt2/config.hpp), with the file's
// name in every complaint. Types are checked strictly: a count written as 12.0 or "12" is an error, as is
// null where it has no meaning.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/activation.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json_fwd.hpp>
#include <transept/core/types.hpp>
#include <transept/models/encoder_head.hpp>
#include <transept/models/family.hpp>

namespace transept::inline TRANSEPT_ABI {

struct rotary_settings;

/// The fields of one config.json. Where nothing else is said, an absent key leaves `value` as it is, and what
/// the model cannot have throws config_error.
class config_reader {
public:
  static constexpr bool reading = true; ///< for a `describe` that has to tell it from config_writer

  /// `root` must outlive it. Throws config_error for what is no object.
  config_reader(const json& root, std::string_view source, std::string_view model_type = {});

  /// Throws config_error: "config.json: n_layer: expected …, found …".
  [[noreturn]] void fail(std::string_view key, const std::string& expected, const json& found) const;
  /// Throws config_error: the file's name, and `what`.
  [[noreturn]] void fail(const std::string& what) const;

  /// A string's text; nothing for what is none.
  static std::string_view text_of(const json& value);

  /// Which of the family's model types this is.
  std::string_view model_type() const { return model_type_; }

  /// The value of `key`, else nullptr. null counts as absent if `null_is_absent`.
  const json* find(std::string_view key, bool null_is_absent = false) const;

  /// What the writer alone needs.
  void architecture(std::string_view) const {}
  void copy(std::string_view, int) const {} ///< likewise

  /// A count from 1 to `limit`: the first of `keys` that is present, else what it is already.
  void count(std::initializer_list<std::string_view> keys, int& value, int limit) const;

  /// The same of a key that older files have, where it counts before the one of today.
  void older_count(std::string_view key, int& value, int limit) const;

  /// The same of a key that may be null or absent: then `otherwise`.
  void count_or_null(std::string_view key, int& value, int otherwise, int limit) const;

  /// head_dim, or width / heads where it is null or absent. Heads · head width is limited.
  /// `otherwise`: the model's own, where it is not width / heads.
  void head_width(std::string_view width_key, int width, std::string_view heads_key, int heads, int& value,
                  std::optional<int> otherwise = std::nullopt) const;

  /// The heads of keys and values, a divisor of the queries': null is as many, absent `otherwise` or as many.
  void shared_heads(std::string_view key, std::string_view heads_key, int heads, int& value,
                    std::optional<int> otherwise = std::nullopt) const;

  /// true or false.
  void boolean(std::string_view key, bool& value) const;

  /// The same; afterwards `value` is known.
  void choice(std::string_view key, transept::choice& value) const;

  /// A key that changes nothing here, and must be a boolean where it is.
  void ignored_boolean(std::string_view key) const;

  /// A key that can only have one value here; null or absent, it has it.
  void must_be(std::string_view key, bool value, const std::string& why_not) const;

  /// The same of a text.
  void must_be_text(std::string_view key, std::string_view value, const std::string& why_not) const;

  /// A text; null counts as absent.
  void text(std::string_view key, std::string& value) const;

  /// That of the first of `architectures`, behind the model's name; absent, there is none.
  void encoder_head(std::string_view model, transept::encoder_head& head) const;

  /// What outputs mean, in their order: id2label; absent, as many as num_labels says, else two, which are
  /// LABEL_0, LABEL_1, …
  void labels(std::vector<std::string>& value, int = 0) const;

  /// Positive, and a normal number as f32.
  void epsilon(std::string_view key, float& value) const;

  /// A positive number; null, where `null_is` is given, is that.
  void positive(std::string_view key, float& value, std::optional<float> null_is = std::nullopt) const;

  /// null counts as absent if `null_is_absent`. `own`: names that mean something else in this family than in
  /// others.
  void activation(std::string_view key, activation_type& value, bool null_is_absent = false,
                  std::initializer_list<named_activation> own = {}) const;

  /// The first of the ids; absent: `otherwise`, where there is one and the vocabulary has it.
  void token(std::string_view key, std::optional<token_id>& value, std::optional<token_id> otherwise,
             int vocab_size) const;
  /// All of the ids: a number, a list, or null, which is none. Those that the vocabulary lacks are left out.
  void tokens(std::string_view key, std::vector<token_id>& value, std::vector<token_id> otherwise,
              int vocab_size) const;

  /// A whole number, 0 too.
  void whole_number(std::string_view key, int& value, int limit) const;

  /// sliding_window, and which layers have it: layer_types; where that is absent, those of `value`. An absent
  /// window is what `value` has.
  void windows(layer_windows& value, int n_layer, bool = false) const;

  /// layer_types may have no window, since `key` is false.
  void no_windows(std::string_view key) const;

  /// An array of 0 and 1, one for each layer (more are not read); null or absent: 0 for every fourth layer,
  /// or so many as no_rope_layer_interval says.
  void rotating_layers(std::string_view key, std::vector<bool>& value, int n_layer) const;

  /// Rotary positions: rope_parameters, or the older rope_theta and rope_scaling; `keys`: what else a family
  /// calls them.
  void rotary(rotary_settings& value, int head_width, int n_positions, const rotary_keys& keys = {}) const;

  /// How many numbers of a head are turned, an even number; absent, `usual`.
  void rotary_width(std::string_view key, rotary_settings& value, int usual, int head_width) const;

  /// GPT-Neo's attention_types, [[["global", "local"], 12]], and window_size; absent, those of `value`.
  void local_layers(layer_windows& value, int n_layer) const;

  /// Calls f(reader of the object that `key` holds); null or absent, of an empty one.
  template <class F>
  void object(std::string_view key, F&& f) const {
    const config_reader inner = inside(key);
    f(inner);
  }

  /// A count from 1 to `limit`: the first of `keys` that is present, else nothing.
  std::optional<int> find_count(std::initializer_list<std::string_view> keys, int limit,
                                bool null_is_absent = false) const;

private:
  /// Of the object that `key` holds.
  config_reader inside(std::string_view key) const;

  /// Token ids of a number, a list of numbers, or null (none). Ids outside the vocabulary can never be met:
  /// files that were shrunk carry them, and they are left out.
  std::vector<token_id> token_ids(std::string_view key, std::vector<token_id> otherwise,
                                  int vocab_size) const;

  const json& root_;
  std::string source_;
  std::string model_type_;
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/config_reader.hpp>
#include <transept/io/impl/encoder_fields.hpp>
#include <transept/io/impl/rotary_fields.hpp>
#endif
