// What of text/ no template touches, compiled once.
#include <transept/text/impl/bpe_training.hpp>
#include <transept/text/impl/byte_alphabet.hpp>
#include <transept/text/impl/byte_pairs.hpp>
#include <transept/text/impl/character_vocabulary.hpp>
#include <transept/text/impl/normalization.hpp>
#include <transept/text/impl/splitting.hpp>
#include <transept/text/impl/stop_matcher.hpp>
#include <transept/text/impl/stream_decoder.hpp>
#include <transept/text/impl/string_matcher.hpp>
#include <transept/text/impl/token_lists.hpp>
#include <transept/text/impl/tokenizer.hpp>
#include <transept/text/impl/tokenizer_folder.hpp>
#include <transept/text/impl/tokenizer_json.hpp>
#include <transept/text/impl/vocabulary_builder.hpp>
#include <transept/text/impl/vocabulary_files.hpp>
#include <transept/text/impl/word_counts.hpp>
