"""One module a term, one function a claim: what measures it.

A demo is a function of a seed. It returns a `glossary.lab.Measurement`: the number that
is compared with the claim's threshold, pictures of what lies behind it, what they show,
and the control arms that must come out differently. It never decides the verdict.
"""
