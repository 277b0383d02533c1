// A model in another element type: GGUF, for this library and for llama.cpp, or a Hugging Face folder.
//
//   quantize gpt2 gpt2-int8.gguf --dtype int8
//   quantize gpt2-int8.gguf gpt2-f16 --dtype f16
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <string>
#include <type_traits>
#include <vector>

#include <common/interruption.hpp>
#include <common/model_list.hpp>
#include <common/program.hpp>
#include <common/progress.hpp>
#include <common/table.hpp>
#include <common/terminal.hpp>

#include <transept/io/convert_files.hpp>
#include <transept/io/visit_model.hpp>

namespace {

using transept::converted_tensor;
using transept::element_type;

/// 3.25e-03.
std::string scientific(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2e", number);
  return text;
}

void print_tensors(std::ostream& out, const std::vector<converted_tensor>& tensors) {
  std::vector<std::vector<std::string>> rows{
      {"tensor", "shape", "from", "to", "bytes", "relative error", "largest error"}};
  std::uint64_t before = 0, after = 0;
  for (const converted_tensor& tensor : tensors) {
    rows.push_back({examples::shown(tensor.name), transept::shape_text(tensor.shape), tensor.from,
                    std::string(name_of(tensor.to)), examples::grouped(tensor.bytes_after),
                    scientific(tensor.relative_error), scientific(tensor.largest_error)});
    before += tensor.bytes_before;
    after += tensor.bytes_after;
  }
  examples::print_table(out, rows, {4, 5, 6});
  out << "\n  " << tensors.size() << " tensors, " << examples::grouped(before) << " bytes before, "
      << examples::grouped(after) << " after\n";
}

/// Refuses to write over what is there, least of all over what is read, and beside what would be taken for
/// the new model's.
void check_output(const std::filesystem::path& output, bool is_gguf) {
  const auto check = [](const std::filesystem::path& path, const char* other) {
    if (std::filesystem::exists(std::filesystem::symlink_status(path)))
      throw transept::file_error(path.string() + ": is there already: give another " + other +
                                 ", or remove it first");
  };
  if (is_gguf) return check(output, "name");
  for (const char* name : {"model.safetensors", "model.safetensors.index.json", "config.json"})
    check(output / name, "folder");
  for (const char* name : transept::vocabulary_file_names) check(output / name, "folder");
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Writes a model in another element type, as GGUF or as a Hugging Face folder, and prints what that "
      "did to each tensor",
      "quantize");
  std::filesystem::path input, output;
  std::string dtype;
  int threads = 0;
  app.add_option("IN", input, "Folder or GGUF file with a model")->type_name("")->required();
  app.add_option("OUT", output, "What to write: a name that ends in .gguf is a GGUF file, any other a folder")
      ->type_name("")
      ->required();
  app.add_option("--dtype", dtype, "Type of the matrices; int8 (Q8_0) and int4 (Q4_0) in GGUF only")
      ->type_name(examples::element_type_choices)
      ->check(examples::is_element_type())
      ->required();
  app.add_option("--threads", threads, "Threads to compute with; 0: one per processor")
      ->type_name("N")
      ->capture_default_str();

  return examples::run_program(app, argc, argv, [&] {
    const bool is_gguf = transept::is_gguf_name(output);
    const element_type type = *examples::element_type_named(dtype);
    check_output(output, is_gguf);
    const auto files = transept::model_files::open(input);
    std::vector<converted_tensor> tensors;
    examples::watch_interruptions();
    {
      examples::progress_bar bar("Converting to " + std::string(name_of(type)));
      const transept::conversion_options options{
          .type = type,
          .threads = threads,
          .progress = [&](std::uint64_t done, std::uint64_t total) { bar.show(done, total); },
          .note = examples::print_note,
          .kept_f16 =
              [&](const std::string& name, std::uint64_t inputs) {
                examples::print_note(name + " stays F16: its rows of " + std::to_string(inputs) +
                                     " numbers are no whole number of blocks of " +
                                     std::to_string(transept::block_length));
              }};
      tensors = transept::visit_config(
          examples::all_kinds{}, files, [&]<class Model>(std::type_identity<Model>, const auto&) {
            using family = typename Model::family;
            return is_gguf ? transept::convert_to_gguf<family>(files, output, options)
                           : transept::convert_to_folder<family>(files, output, options);
          });
    }
    print_tensors(std::cout, tensors);
  });
}
