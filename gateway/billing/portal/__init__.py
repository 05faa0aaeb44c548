"""POST /portal: sessions of Stripe's customer portal."""
