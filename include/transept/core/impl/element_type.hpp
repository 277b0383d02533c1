// What is not inline of core/element_type.hpp.
#pragma once

#include <string>

#include <transept/core/element_type.hpp>
#include <transept/core/error.hpp>

namespace transept::inline TRANSEPT_ABI::detail {

TRANSEPT_FUNCTION void refuse_block_type(element_type type) {
  throw argument_error("elements of type " + std::string(name_of(type)) + " do not stand alone");
}

} // namespace transept::inline TRANSEPT_ABI::detail
