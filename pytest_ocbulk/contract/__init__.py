"""The contract: one suite of cases for the fake and for the real service.

    pytest --pyargs pytest_ocbulk.contract                         # the fake, through every door, in both dialects
    pytest --pyargs pytest_ocbulk.contract --ocbulk-target URL     # a real account; secrets from the environment
    ocbulk verify --url URL                                        # the same as a parity table

Modules: case (what a case is), cases/ (all of them), target and subject (what a case is run against, and what it
holds in hand), settings (`ocbulk_contract.toml`), fakes and accounts (where targets come from), parity and accepted
(what differs, and what may), report (table, JSON, JUnit). Nothing here is imported before it is asked for.
"""
