"""What tests share: small models that write down what is done to them; a browser."""
