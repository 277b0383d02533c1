// A folder with an encoder of random weights and a vocabulary of a few words, for what goes from texts to
// answers.
#pragma once

#include <filesystem>
#include <string>

#include <support/temporary_folder.hpp>

#include <transept/io/save_model.hpp>
#include <transept/models/bert.hpp>
#include <transept/models/initialise.hpp>

namespace support {

/// Lines of vocab.txt.
inline constexpr const char* small_vocabulary =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\ncat\ndog\nsat\non\nmat\nparis\nis\nin\nfrance\n.\n,\n?\nwhere\n"
    "play\n##ing\n##ed\na\nb\nc\nquery\n:\n";

/// Of width 16, two layers, 40 positions.
class small_encoder {
public:
  explicit small_encoder(transept::encoder_head head, std::uint64_t seed = 3) {
    transept::bert_config shape{.n_embd = 16, .n_layer = 2, .n_head = 2, .vocab_size = 27, .n_positions = 40};
    transept::bert_settings settings;
    settings.head = head;
    if (transept::bert_family::is_labelled(head)) settings.labels = {"O", "B-place", "I-place"};
    transept::bert_family::heed_head(shape, settings);
    const transept::initialise_options options{.standard_deviation = 0.4f};
    save(transept::initialise<transept::bert<transept::any_bert>>(shape, settings, seed, options), path());
    write_file(folder_ / "vocab.txt", small_vocabulary);
  }

  std::filesystem::path path() const { return folder_.path(); }
  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }

private:
  temporary_folder folder_;
};

} // namespace support
