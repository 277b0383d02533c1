// What of layers/ no template touches, compiled once.
#include <transept/layers/impl/attention.hpp>
#include <transept/layers/impl/head_norm.hpp>
#include <transept/layers/impl/kv_cache.hpp>
#include <transept/layers/impl/kv_cache_batch.hpp>
#include <transept/layers/impl/tape.hpp>
#include <transept/layers/impl/whole_sequences.hpp>
#include <transept/layers/positions/impl/alibi.hpp>
#include <transept/layers/positions/impl/relative_buckets.hpp>
#include <transept/layers/positions/impl/rotary.hpp>
#include <transept/layers/positions/impl/rotary_frequencies.hpp>
#include <transept/layers/positions/impl/sinusoids.hpp>
