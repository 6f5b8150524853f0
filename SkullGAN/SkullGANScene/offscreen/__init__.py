"""Pictures of a scene without a screen."""
