// What of generate/ no template touches, compiled once.
#include <transept/generate/impl/batch.hpp>
#include <transept/generate/impl/batch_generation.hpp>
#include <transept/generate/impl/candidates.hpp>
#include <transept/generate/impl/decoding.hpp>
#include <transept/generate/impl/filters.hpp>
#include <transept/generate/impl/generate_text.hpp>
#include <transept/generate/impl/generation_state.hpp>
#include <transept/generate/impl/inspection.hpp>
#include <transept/generate/impl/probabilities.hpp>
#include <transept/generate/impl/sampling.hpp>
#include <transept/generate/impl/session.hpp>
#include <transept/generate/impl/speculation.hpp>
