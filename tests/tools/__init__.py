"""What tests share: a dashboard, stand-ins for web services, a fuzzer, many visitors."""
