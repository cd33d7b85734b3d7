"""Between the broker's domain and what goes over the wire: TradingView's shapes in, values out, and back."""
