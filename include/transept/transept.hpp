// The whole library in one include. Each header also compiles alone: to compile less, include the ones that a
// program names.
#pragma once

// Types, errors, random numbers.
#include <transept/core/element_type.hpp>
#include <transept/core/error.hpp>
#include <transept/core/random.hpp>
#include <transept/core/types.hpp>
#include <transept/core/version.hpp>

// Arrays: xtensor's, at the edges.
#include <transept/tensor/xtensor.hpp>

// Layers to compose, and the models composed of them.
#include <transept/layers/attention.hpp>
#include <transept/layers/block.hpp>
#include <transept/layers/embedding.hpp>
#include <transept/layers/feed_forward.hpp>
#include <transept/layers/gated_feed_forward.hpp>
#include <transept/layers/kv_cache.hpp>
#include <transept/layers/kv_cache_batch.hpp>
#include <transept/layers/layer_norm.hpp>
#include <transept/layers/linear.hpp>
#include <transept/layers/rms_norm.hpp>
#include <transept/models/convert.hpp>
#include <transept/models/gpt2.hpp>
#include <transept/models/initialise.hpp>

// Files: Hugging Face folders, GGUF, .npy.
#include <transept/io/load_model.hpp>
#include <transept/io/load_tokenizer.hpp>
#include <transept/io/npy.hpp>
#include <transept/io/save_model.hpp>
#include <transept/io/visit_model.hpp>

// Text to tokens and back.
#include <transept/text/stop_matcher.hpp>
#include <transept/text/stream_decoder.hpp>
#include <transept/text/tokenizer.hpp>

// Sessions and batches, generation, looking inside.
#include <transept/generate/batch.hpp>
#include <transept/generate/batch_generation.hpp>
#include <transept/generate/generate_text.hpp>
#include <transept/generate/generation.hpp>
#include <transept/generate/inspection.hpp>
#include <transept/generate/sampling.hpp>
#include <transept/generate/session.hpp>

// Training: vocabularies and token files from texts, batches of them, steps, the state of a run.
#include <transept/io/vocabulary_writer.hpp>
#include <transept/train/batches.hpp>
#include <transept/train/schedules.hpp>
#include <transept/train/train_tokenizer.hpp>
#include <transept/train/training.hpp>
#include <transept/train/training_state.hpp>
