// How llama.cpp keeps a kind of model in a GGUF file: what its keys are in config.json. One table serves both
// ways (io/gguf_config.hpp reads, io/gguf_metadata.hpp writes).
//
// What all architectures have alike is not in the tables: sizes, heads, epsilons, rotary positions, windows.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <transept/core/function_ref.hpp>
#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What a line of an architecture's table is about.
enum class gguf_kind : std::uint8_t {
  number,  ///< a key of a whole number or a fraction
  boolean, ///< a key that is true or false
  tensor,  ///< a tensor: true where the file has it
  computed ///< no key: a number (or, as a boolean, 0 or 1) that follows from the rest
};

/// What a model's file says of its sizes, and which tensors it has.
struct gguf_sizes {
  int n_embd, n_layer, n_head, n_key_value_head, head_width; ///< as all configs have them
  function_ref<bool(std::string_view)> has;                  ///< whether there is a tensor of this name

  /// Whether all queries share one head of keys and values.
  bool has_one_key_head() const { return n_key_value_head == 1; }
  /// Whether there are several such heads, each of which several queries share.
  bool has_some_key_heads() const { return n_key_value_head > 1 && n_key_value_head < n_head; }
};

/// A line: a key, or a tensor, of a GGUF file and what config.json says instead.
struct gguf_line {
  std::string_view gguf; ///< behind the architecture's name and a dot; of a tensor its whole name
  std::string_view json; ///< "attn_config.clip_qkv" is a member of an object
  gguf_kind kind = gguf_kind::number;           ///< what it is in the file
  double (*value)(const gguf_sizes&) = nullptr; ///< of what is computed
  bool is_flag = false;                         ///< what is computed is true or false
};

/// An architecture of GGUF files.
struct gguf_architecture {
  std::string_view name;                ///< general.architecture
  std::string_view model_type;          ///< config.json's
  std::span<const gguf_line> keys = {}; ///< beside what all have
  bool rotates = true;                  ///< whether positions are turned
  /// What config.json calls the turned part of a head, where an architecture may turn a part.
  std::string_view rotary_part = {};
  bool has_rms_norms = false; ///< or layer norms, whose epsilon has another key
  bool has_window = false;    ///< whether blocks may see a window
  /// The model_type of one with a window, where that is another.
  std::string_view model_type_with_window = {};
  int usual_window = 0; ///< where the file has no key of it; 0: none
};

} // namespace transept::inline TRANSEPT_ABI
