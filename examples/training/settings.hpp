// All that can be set about a training run: one list, from which come the options of the command line, what
// is kept with a run so that it can go on, and the presets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <type_traits>

#include <transept/core/json.hpp>

namespace examples {

/// Defaults: nanoGPT's CPU setting, shakespeare-char-cpu.
struct training_settings {
  std::string preset = "shakespeare-char-cpu";
  // What is learned.
  std::string task = "generation";
  std::filesystem::path text, validation_text, data, validation_data;
  double validation = 0.1;
  std::string vocabulary = "characters"; ///< empty: that of the model to go on from
  // The model.
  std::filesystem::path from;
  std::string architecture = "gpt2";
  std::size_t layers = 4, heads = 4, width = 128, context = 64, positions = 0;
  std::string pooling = "max";
  bool sinusoids = false, next_sentence = false;
  double dropout = 0, word_dropout = 0;
  std::size_t train_blocks = 0;
  bool recompute = false;
  std::string products = "f32";
  // How it is learned.
  std::size_t iterations = 2000, batch = 12, accumulate = 1;
  double learning_rate = 1e-3, least_learning_rate = 1e-4;
  std::string schedule = "cosine";
  std::size_t warmup = 100;
  double beta_1 = 0.9, beta_2 = 0.99, weight_decay = 0.1, clip = 1.0, label_smoothing = 0;
  std::uint64_t seed = 1337;
  // What is told and kept.
  std::size_t evaluate_every = 250, evaluate_batches = 20, checkpoint_every = 250, keep = 2;
  std::string dtype = "f32";
  std::string prompt = "\n";
  std::size_t sample_tokens = 100;
  std::filesystem::path log, picture;
};

/// Calls f(option's name, setting, what the help calls its value, what it is) for each setting.
template <class Settings, class F>
void for_each_setting(Settings& s, F&& f) {
  f("task", s.task, "generation|masked|classification|tagging|answers",
    "What is learned: next words, masked words, labels of texts or of words, answers");
  f("text", s.text, "FILE", "Text to learn; <|endoftext|> between documents is that token");
  f("validation-text", s.validation_text, "FILE", "Text to check with; none: the end of the other");
  f("data", s.data, "FILE", "Labelled texts to learn, JSON lines: {\"text\": \"…\", \"label\": \"…\"}");
  f("validation-data", s.validation_data, "FILE", "The same to check with; none: some lines of the other");
  f("validation", s.validation, "X", "Part of the text, or of the lines, that is kept for checking");
  f("vocabulary", s.vocabulary, "WHAT",
    "characters: those of the text; a number: of tokens to learn, a byte-level BPE; a folder: with one");
  f("from", s.from, "FOLDER",
    "Model to go on from (fine-tuning), with its vocabulary if it has one; none: a new model");
  f("architecture", s.architecture, "NAME",
    "Kind of a new model, as config.json's model_type: gpt2, llama, bert, …");
  f("layers", s.layers, "N", "Its blocks");
  f("heads", s.heads, "N", "Its attention heads");
  f("width", s.width, "N", "Its width");
  f("context", s.context, "N", "Tokens of a sequence");
  f("positions", s.positions, "N", "Its longest sequence, to train on longer ones later; 0: the context");
  f("pooling", s.pooling, "max|mean", "What a transept-classifier makes of a text's hidden states");
  f("sinusoids", s.sinusoids, "", "Its positions are not learned");
  f("next-sentence", s.next_sentence, "",
    "Masked words: also whether the second half of a text follows its first (bert, albert)");
  f("dropout", s.dropout, "P", "Part of embeddings, attention and residuals that a pass drops");
  f("word-dropout", s.word_dropout, "P",
    "Part of the words of labelled texts that a pass replaces by the mask token (Iyyer et al. 2015)");
  f("train-blocks", s.train_blocks, "N", "Train the last N blocks only, and not the embeddings; 0: all");
  f("recompute", s.recompute, "", "Keep less for the backward pass: long contexts in less memory, slower");
  f("products", s.products, "f32|bf16|bf16x3",
    "What matrices are multiplied in; bf16 is faster where there is AMX or AVX-512 of AMD's, bf16x3 on AMX");
  f("iterations", s.iterations, "N", "Optimizer steps");
  f("batch", s.batch, "N", "Sequences of a batch");
  f("accumulate", s.accumulate, "N", "Batches of a step");
  f("learning-rate", s.learning_rate, "X", "AdamW's, after warm-up");
  f("least-learning-rate", s.least_learning_rate, "X", "The same at the end (cosine, linear)");
  f("schedule", s.schedule, "cosine|linear|inverse-sqrt|constant", "How it changes");
  f("warmup", s.warmup, "N", "Steps in which it rises from 0");
  f("beta1", s.beta_1, "X", "AdamW's memory of gradients");
  f("beta2", s.beta_2, "X", "AdamW's memory of their squares");
  f("weight-decay", s.weight_decay, "X", "Of matrices");
  f("clip", s.clip, "X", "Norm that gradients are clipped to; 0: they are not");
  f("label-smoothing", s.label_smoothing, "X", "Part of a target spread over the vocabulary");
  f("seed", s.seed, "N", "Of weights, batches, dropout and samples");
  f("evaluate-every", s.evaluate_every, "N", "Steps between evaluations and samples");
  f("evaluate-batches", s.evaluate_batches, "N",
    "Batches of an evaluation, always the same; 0, and at the end: the whole validation text");
  f("checkpoint-every", s.checkpoint_every, "N", "Steps between checkpoints");
  f("keep", s.keep, "N", "Checkpoints that are kept");
  f("dtype", s.dtype, "f32|f16|bf16", "How the best model's weights are stored");
  f("prompt", s.prompt, "TEXT", "What samples begin with");
  f("sample-tokens", s.sample_tokens, "N", "Tokens of a sample, at most the context; 0: none");
  f("log", s.log, "FILE.csv", "Table of the run; default: log.csv in its folder");
  f("picture", s.picture, "FILE.svg", "The loss, drawn; default: loss.svg in the folder");
}

/// The settings of a preset. Throws transept::argument_error for a name that is none.
training_settings preset_named(const std::string& name);
inline constexpr const char* preset_choices =
    "shakespeare-char-cpu|shakespeare-char|shakespeare-bpe|gpt2|tiny-bert|sentiment|bert";

transept::json to_json(const training_settings& settings);
/// Throws transept::format_error, which names `source`, for a key that is no setting, a value of another kind
/// or one that its option does not take.
training_settings settings_from_json(const transept::json& object, const std::string& source);

} // namespace examples
