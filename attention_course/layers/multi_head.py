"""Multi-head attention: several small attentions side by side, then one projection."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .._checks import check_flag
from . import _checks
from ._attend import attend, attend_with_weights
from ._init import xavier_

NAME = "MultiHeadAttention"


class MultiHeadAttention(nn.Module):
    r"""Attend with several heads at once, and mix what they found.

    .. math::
        \begin{gathered}
        \mathrm{head}_i = \mathrm{Attention}(Q W_{Q,i},\; K W_{K,i},\; V W_{V,i}), \\
        \mathrm{output} = \mathrm{Concat}(\mathrm{head}_1, \dots, \mathrm{head}_h)\, W_O
        \end{gathered}

    The columns of ``w_query`` are the heads' matrices side by side: counted from 0,
    head i owns the columns ``i * d_head`` to ``(i + 1) * d_head - 1``, with
    ``d_head = d_model // num_heads``.

    Parameters
    ----------
    d_model : int
        Width of the output, and of the inputs unless stated otherwise.
    num_heads : int
        Number of query heads; divides ``d_model``.
    d_query : int, optional
        Width of the input that queries are made from; ``d_model`` by default.
    d_key : int, optional
        Width of the input that keys are made from; ``d_model`` by default.
    d_value : int, optional
        Width of the input that values are made from; ``d_model`` by default.
    num_kv_heads : int, optional
        Number of key and value heads; divides ``num_heads``. Query head i reads key and
        value head ``i // (num_heads // num_kv_heads)``. ``num_heads`` by default; 1 is
        multi-query attention, anything between is grouped-query attention.
    projection_bias : bool
        Whether the four projections add a bias vector.
    dropout : float
        Probability that a weight is set to zero during training; the others are then
        divided by ``1 - dropout``.

    Attributes
    ----------
    w_query : torch.nn.Parameter
        Shape (d_query, d_model), used as ``query @ w_query``.
    w_key : torch.nn.Parameter
        Shape (d_key, ``num_kv_heads * d_head``), used as ``key @ w_key``.
    w_value : torch.nn.Parameter
        Shape (d_value, ``num_kv_heads * d_head``), used as ``value @ w_value``.
    w_output : torch.nn.Parameter
        Shape (d_model, d_model), used on the heads side by side.
    b_query : torch.nn.Parameter or None
        Added after ``w_query``, one number per column; None without projection biases.
    b_key : torch.nn.Parameter or None
        Added after ``w_key``.
    b_value : torch.nn.Parameter or None
        Added after ``w_value``.
    b_output : torch.nn.Parameter or None
        Added after ``w_output``.

    Raises
    ------
    ValueError
        If a size is below 1, ``d_model`` is not divisible by ``num_heads``,
        ``num_heads`` not by ``num_kv_heads``, or ``dropout`` is outside [0, 1).
    TypeError
        If a size is not a whole number.

    Notes
    -----
    Vaswani et al. (2017), section 3.2.2; with one key and value head, Shazeer (2019),
    section 3; with groups, Ainslie et al. (2023), section 2.2.
    Chapter: ``ch05_multi_head``.
    """

    b_query: nn.Parameter | None
    b_key: nn.Parameter | None
    b_value: nn.Parameter | None
    b_output: nn.Parameter | None

    def __init__(
        self,
        d_model: int,
        num_heads: int,
        *,
        d_query: int | None = None,
        d_key: int | None = None,
        d_value: int | None = None,
        num_kv_heads: int | None = None,
        projection_bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        num_kv_heads = num_heads if num_kv_heads is None else num_kv_heads
        given = {"d_query": d_query, "d_key": d_key, "d_value": d_value}
        widths = {name: d_model if d is None else d for name, d in given.items()}
        _checks.check_head_sizes(d_model, num_heads, num_kv_heads, widths)
        _checks.check_probability(NAME, "dropout", dropout)

        self.num_heads = num_heads
        self.num_kv_heads = num_kv_heads
        self.dropout = dropout
        d_kv = num_kv_heads * (d_model // num_heads)
        self.w_query = nn.Parameter(torch.empty(widths["d_query"], d_model))
        self.w_key = nn.Parameter(torch.empty(widths["d_key"], d_kv))
        self.w_value = nn.Parameter(torch.empty(widths["d_value"], d_kv))
        self.w_output = nn.Parameter(torch.empty(d_model, d_model))
        for name in ("query", "key", "value", "output"):
            width = getattr(self, f"w_{name}").shape[1]
            b = nn.Parameter(torch.empty(width)) if projection_bias else None
            self.register_parameter(f"b_{name}", b)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new Xavier weights and set the biases to zero."""
        for name, parameter in self.named_parameters():
            if name.startswith("w_"):
                xavier_(parameter)
            else:
                nn.init.zeros_(parameter)

    @classmethod
    def from_torch(cls, module: nn.MultiheadAttention) -> "MultiHeadAttention":
        """Take over the parameters of a ``torch.nn.MultiheadAttention``.

        The new layer has its own copies, with the module's dtype, device and mode. Its
        inputs are batch first, whatever ``module.batch_first`` says, and its masks mean
        the opposite: True where a query may attend.

        Parameters
        ----------
        module : torch.nn.MultiheadAttention
            The layer to take over.

        Returns
        -------
        MultiHeadAttention
            A layer that computes the same.

        Raises
        ------
        TypeError
            If ``module`` is not a ``torch.nn.MultiheadAttention``.
        ValueError
            If it was built with ``add_bias_kv`` or ``add_zero_attn``, which append a
            key and a value that this layer does not have.
        """
        _checks.check_convertible(module)
        layer = cls(
            module.embed_dim,
            module.num_heads,
            d_key=module.kdim,
            d_value=module.vdim,
            projection_bias=module.in_proj_bias is not None,
            dropout=module.dropout,
        ).to(module.out_proj.weight)
        with torch.no_grad():
            for name, tensor in _torch_parameters(module).items():
                getattr(layer, name).copy_(tensor)
        return layer.train(module.training)

    def forward(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        bias: Tensor | None = None,
        causal: bool = False,
        need_weights: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Let every query collect from the values.

        Parameters
        ----------
        query : torch.Tensor
            Shape (batch, n_q, d_query).
        key : torch.Tensor, optional
            Shape (batch, n_k, d_key); ``query`` by default (self-attention).
        value : torch.Tensor, optional
            Shape (batch, n_k, d_value); ``key`` by default.
        mask : torch.Tensor, optional
            Boolean, True where a query may attend to a key. Shape (n_q, n_k),
            (batch, n_q, n_k) or (batch, num_heads, n_q, n_k); size 1 stands for all.
        bias : torch.Tensor, optional
            Added to the scores; the shapes of ``mask``, the dtype of the inputs.
        causal : bool
            Whether query i may attend to the keys from 0 to i only.
        need_weights : bool
            Whether to return the weights. Without them torch's fused function does the
            work, which need not store the (n_q, n_k) matrices.

        Returns
        -------
        output : torch.Tensor
            Shape (batch, n_q, d_model). A query that may attend to nothing gets
            ``b_output``.
        weights : torch.Tensor or None
            Shape (batch, num_heads, n_q, n_k), before dropout; None unless asked for.

        Raises
        ------
        ValueError
            If shapes do not fit each other or the layer.
        TypeError
            If an input is not a tensor of the layer's dtype, or ``mask`` not boolean.
        """
        if key is None and value is not None:
            raise ValueError(f"{NAME}: value must come with its key; got no key.")
        key = query if key is None else key
        value = key if value is None else value
        _checks.check_heads_inputs(self, query, key, value)
        _checks.check_heads_options(self, query, key, mask, bias)
        check_flag(NAME, "causal", causal)
        check_flag(NAME, "need_weights", need_weights)
        mask, bias = _per_head(mask), _per_head(bias)

        q = _split(_project(query, self.w_query, self.b_query), self.num_heads)
        k = _split(_project(key, self.w_key, self.b_key), self.num_kv_heads)
        v = _split(_project(value, self.w_value, self.b_value), self.num_kv_heads)
        dropout = self.dropout if self.training else 0.0
        path = attend_with_weights if need_weights else attend
        heads, weights = path(
            q, k, v, mask=mask, bias=bias, causal=causal, dropout=dropout
        )
        return _project(_merge(heads), self.w_output, self.b_output), weights

    def extra_repr(self) -> str:
        """Return the sizes that ``print(layer)`` shows."""
        sizes = f"{self.w_query.shape[1]}, {self.num_heads}"
        for name in ("query", "key", "value"):
            sizes += f", d_{name}={getattr(self, f'w_{name}').shape[0]}"
        return f"{sizes}, num_kv_heads={self.num_kv_heads}, dropout={self.dropout}"


def _project(x: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
    """Return ``x @ w + b``; ``F.linear`` does both at once and transposes w itself."""
    return F.linear(x, w.T, b)


def _split(x: Tensor, num_heads: int) -> Tensor:
    """(batch, n, num_heads * d_head) -> (batch, num_heads, n, d_head)."""
    return x.unflatten(-1, (num_heads, -1)).transpose(1, 2)


def _merge(heads: Tensor) -> Tensor:
    """(batch, num_heads, n, d_head) -> (batch, n, num_heads * d_head)."""
    return heads.transpose(1, 2).flatten(2)


def _per_head(x: Tensor | None) -> Tensor | None:
    """(batch, n_q, n_k) -> (batch, 1, n_q, n_k); other ranks broadcast as they are."""
    return x.unsqueeze(1) if x is not None and x.ndim == 3 else x


def _torch_parameters(module: nn.MultiheadAttention) -> dict[str, Tensor]:
    """Return the module's parameters under our names, matrices as (d_in, d_out)."""
    if module.kdim == module.vdim == module.embed_dim:  # stored as one matrix
        matrices = module.in_proj_weight.chunk(3)
    else:
        matrices = (module.q_proj_weight, module.k_proj_weight, module.v_proj_weight)
    names = ("query", "key", "value", "output")
    matrices = (*matrices, module.out_proj.weight)
    ours = {f"w_{name}": w.T for name, w in zip(names, matrices, strict=True)}
    if module.in_proj_bias is not None:
        biases = (*module.in_proj_bias.chunk(3), module.out_proj.bias)
        ours |= {f"b_{name}": b for name, b in zip(names, biases, strict=True)}
    return ours
