"""Small elastic strains by finite elements: -div σ(w) = q, σ = λ tr(e) I + 2μ e, e = (∇w + ∇wᵀ)/2."""
