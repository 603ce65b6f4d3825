"""The operations that tracing understands, by what they do to a signal.

Names are those of ``torch.ops.aten`` without overload and without the underscore of in-place
variants. An operation that is in no set here, and that reads a value which depends on the
network's input, is refused by name: its depth would be a guess.
"""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


SHAPE_ONLY = _names(
    """
    zeros_like ones_like full_like empty_like rand_like randn_like randint_like
    new_zeros new_ones new_full new_empty new_empty_strided new_tensor
    sym_size sym_stride sym_numel sym_storage_offset size stride numel dim
    _assert_tensor_metadata _assert_async argmax argmin argsort isnan isinf isfinite
    eq ne gt ge lt le logical_not logical_and logical_or bitwise_not bitwise_and bitwise_or
    """
)
"""They read only the shape of a value, or give a result without a gradient: dependence stops."""

LINEAR = _names(
    """
    alias view view_as reshape reshape_as _unsafe_view _reshape_alias flatten unflatten permute
    transpose t T mT movedim moveaxis swapaxes squeeze unsqueeze expand expand_as repeat
    repeat_interleave tile slice select narrow split split_with_sizes unsafe_split unsafe_chunk
    tensor_split chunk unbind contiguous clone to _to_copy type_as float double half
    lift_fresh lift_fresh_copy roll flip rot90 index index_select gather unfold im2col
    pixel_shuffle pixel_unshuffle channel_shuffle native_channel_shuffle
    dropout feature_dropout alpha_dropout feature_alpha_dropout neg positive tril triu ravel
    swapdims
    """
)
"""They move, copy or drop numbers; a factor may stand before or behind them."""

CONCATENATIONS = _names("cat concat concatenate stack hstack vstack")
REARRANGING = (LINEAR | CONCATENATIONS | {"detach"}) - _names(
    "dropout feature_dropout alpha_dropout feature_alpha_dropout tril triu expand expand_as"
)
"""Weights behind them are a layer's parameters, number for number."""

FREE = LINEAR | _names(
    """
    pad constant_pad_nd reflection_pad1d reflection_pad2d replication_pad1d replication_pad2d
    detach bernoulli masked_fill fill nan_to_num
    """
)
"""They leave a value at its point of the graph."""

NORMALIZATIONS = _names(
    """
    batch_norm layer_norm group_norm instance_norm rms_norm native_batch_norm native_layer_norm
    native_group_norm _batch_norm_impl_index cudnn_batch_norm linalg_vector_norm norm linalg_norm
    """
)
"""They normalize; no convention counts them."""

POOLS = _names(
    """
    avg_pool1d avg_pool2d avg_pool3d max_pool1d max_pool2d max_pool3d max_pool2d_with_indices
    adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d _adaptive_avg_pool2d
    adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d
    mean sum amax amin max min var std var_mean std_mean logsumexp
    upsample_nearest1d upsample_nearest2d upsample_bilinear2d upsample_bicubic2d upsample_linear1d
    _upsample_nearest_exact2d _upsample_bilinear2d_aa _upsample_bicubic2d_aa
    """
)
"""They mix positions with fixed weights; no convention counts them."""

BOUNDED = _names("sigmoid softmax _softmax tanh hardsigmoid hardtanh relu6 _safe_softmax softmin")
"""Nonlinearities with values in a fixed range: what comes out can gate another value."""

NONLINEARITIES = BOUNDED | _names(
    """
    relu gelu silu mish elu selu celu leaky_relu rrelu prelu softplus hardswish hardshrink
    softshrink threshold glu log_softmax _log_softmax log_sigmoid abs square pow exp expm1 log
    log1p log2 sqrt rsqrt reciprocal sin cos erf clamp clamp_min clamp_max sign
    """
)
"""They act on every number alone (softmax: on rows), and are not linear."""

ADDITIONS = _names("add sub rsub lerp subtract")
MULTIPLICATIONS = _names("mul div multiply divide true_divide")
CHOICES = _names("maximum minimum where fmin fmax")
CONVOLUTIONS = _names("conv1d conv2d conv3d convolution _convolution")
MATRIX_PRODUCTS = _names("linear matmul mm bmm mv einsum dot")
ADDED_PRODUCTS = _names("addmm baddbmm addbmm addmv")
ATTENTION = _names("scaled_dot_product_attention")
EMBEDDINGS = _names("embedding")
ADDITIONS_OF_PRODUCTS = _names("addcmul addcdiv")
WRITES = _names("copy index_put slice_scatter select_scatter _unsafe_index_put")

RECURRENT = _names(
    """
    lstm gru rnn_tanh rnn_relu lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell
    _thnn_fused_lstm_cell _thnn_fused_gru_cell
    """
)
"""One operation that holds many steps: no number of layers can be given to it."""
