// Every model of the library, as a type whose shape is told at run time. A new family is a line here.
#pragma once

#include <transept/models/bigcode.hpp>
#include <transept/models/bloom.hpp>
#include <transept/models/falcon.hpp>
#include <transept/models/gemma.hpp>
#include <transept/models/gpt1.hpp>
#include <transept/models/gpt2.hpp>
#include <transept/models/gpt_neo.hpp>
#include <transept/models/gptj.hpp>
#include <transept/models/list.hpp>
#include <transept/models/llama.hpp>
#include <transept/models/mpt.hpp>
#include <transept/models/neox.hpp>
#include <transept/models/olmo2.hpp>
#include <transept/models/opt.hpp>
#include <transept/models/phi.hpp>
#include <transept/models/stablelm.hpp>
#include <transept/models/starcoder2.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Every family, as one type that runs all its shapes: `visit_model(all_models{}, folder, {}, f)`.
using all_models =
    model_list<any_shape<gpt2_family>, //
               any_shape<llama_family>, any_shape<gemma_family>, any_shape<gemma2_family>,
               any_shape<neox_family>, any_shape<bloom_family>, any_shape<gpt1_family>, any_shape<opt_family>,
               any_shape<gptj_family>, any_shape<phi_family>, any_shape<stablelm_family>,
               any_shape<mpt_family>, any_shape<falcon_family>, any_shape<bigcode_family>,
               any_shape<gpt_neo_family>, any_shape<starcoder2_family>, any_shape<olmo2_family>>;

} // namespace transept::inline TRANSEPT_ABI
