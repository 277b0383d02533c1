// What a model's folder must hold, and the words for one that does not.
#pragma once

#include <filesystem>
#include <string>

#include <transept/core/error.hpp>
#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI::detail {

/// A dangling link counts as there: opening it gives the better message.
TRANSEPT_FUNCTION bool is_there(const std::filesystem::path& path);

TRANSEPT_FUNCTION std::string download_help();

/// Throws file_error where `folder` is none.
TRANSEPT_FUNCTION void check_folder(const std::filesystem::path& folder);

/// Throws file_error where `folder` has no safetensors: it says what is there instead.
TRANSEPT_FUNCTION void check_weights(const std::filesystem::path& folder);

} // namespace transept::inline TRANSEPT_ABI::detail

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/model_folder.hpp>
#endif
