"""Voucher Ledger: science, technology and startup vouchers from the policy to the payment."""
