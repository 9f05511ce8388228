"""What a model implies for a printed ratio that is adjusted otherwise than the model adjusts.

A regression on fewer covariates estimates another parameter. In the modelled population its
estimate has a limit, computed here per draw of the model's parameters and then emulated by a
linear function of them, so that the graph stays what it is (docs/adr/0007-adjustment-sets.md).
"""
