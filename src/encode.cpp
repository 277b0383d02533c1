// What of encode/ no template touches, compiled once.
#include <transept/encode/impl/encode.hpp>
#include <transept/encode/impl/encoder_session.hpp>
#include <transept/encode/impl/scores.hpp>
#include <transept/encode/impl/sentence_embedding.hpp>
#include <transept/encode/impl/sentence_modules.hpp>
#include <transept/encode/impl/text_tasks.hpp>
