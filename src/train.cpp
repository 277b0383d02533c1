// What of train/ no template touches, compiled once.
#include <transept/train/impl/adamw.hpp>
#include <transept/train/impl/batches.hpp>
#include <transept/train/impl/encoder_loss.hpp>
#include <transept/train/impl/loss.hpp>
#include <transept/train/impl/masked_words.hpp>
#include <transept/train/impl/parameters.hpp>
#include <transept/train/impl/task_data.hpp>
#include <transept/train/impl/task_score.hpp>
#include <transept/train/impl/token_file.hpp>
#include <transept/train/impl/token_rows.hpp>
#include <transept/train/impl/train_tokenizer.hpp>
#include <transept/train/impl/training.hpp>
#include <transept/train/impl/training_state.hpp>
