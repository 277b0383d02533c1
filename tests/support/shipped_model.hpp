// What PyTorch makes of the model that ships with the project: tests/fixtures/gpt2/shakespeare/expected.json,
// which scripts/make_fixtures.py writes anew for a new model.
#pragma once

#include <string>
#include <vector>

#include <support/paths.hpp>
#include <support/temporary_folder.hpp>

#include <transept/core/json.hpp>
#include <transept/core/types.hpp>

namespace support {

struct shipped_model_facts {
  struct next_word {
    std::string text;
    double probability;
  };
  struct score {
    int context, stride, tokens_scored;
    double nats_per_token;
  };

  std::string prompt;                         ///< text that everything greedy goes on from
  std::vector<transept::token_id> prompt_ids; ///< [P]
  std::vector<transept::token_id> greedy_ids; ///< [24], what follows the prompt
  std::string greedy_text;                    ///< the same as text
  std::vector<next_word> next_words;          ///< [10], the likeliest after the prompt
  int scored_tokens;                          ///< in fixtures/examples/sea.txt
  std::vector<score> scores;                  ///< of that text; the first: whole contexts, one after another

  /// The prompt's ids, and the first `count` of those that follow, as the programs take and print them.
  std::string id_list(std::size_t count = 0) const {
    std::string list;
    for (const auto id : prompt_ids) list += (list.empty() ? "" : ",") + std::to_string(id);
    for (std::size_t i = 0; i < count; ++i) list += "," + std::to_string(greedy_ids.at(i));
    return list;
  }

  std::vector<transept::token_id> first_greedy_ids(std::size_t count) const {
    return {greedy_ids.begin(), greedy_ids.begin() + static_cast<std::ptrdiff_t>(count)};
  }
};

inline const shipped_model_facts& shipped_facts() {
  static const shipped_model_facts facts = [] {
    const auto path = fixture("gpt2/shakespeare/expected.json");
    const transept::json file = transept::parse_json(read_file(path), path.string());
    shipped_model_facts read{file["prompt"],
                             file["prompt_ids"],
                             file["greedy"]["ids"],
                             file["greedy"]["text"],
                             {},
                             file["scored_tokens"],
                             {}};
    for (const auto& word : file["next_words"])
      read.next_words.push_back({word["text"], word["probability"]});
    for (const auto& each : file["scores"])
      read.scores.push_back({each["context"], each["stride"], each["tokens_scored"], each["nats_per_token"]});
    return read;
  }();
  return facts;
}

} // namespace support
