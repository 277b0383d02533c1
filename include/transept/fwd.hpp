// Forward declarations, for headers that name the library's types without paying for them. (Declaring them by
// hand does not work: they live in an inline namespace whose name depends on the compiler's flags.)
//
//   #include <transept/fwd.hpp>
//
//   void write_story(transept::session& session, const transept::tokenizer& tokenizer);
//
// A model's defaults are with its definition, so here it is `gpt2<config, inference_weights>` in full.
#pragma once

#include <cstddef>

#include <transept/models/gpt2/config.hpp>

namespace transept::inline TRANSEPT_ABI {

struct error;
class thread_pool;
class kv_cache;
class checkpoint;
class session;
class tokenizer;
class candidates;
struct session_options;
struct generation_options;
struct load_options;
struct inspection;
struct inference_weights;
template <gpt2_config Config, class Weights>
struct gpt2;

} // namespace transept::inline TRANSEPT_ABI
