"""What a release is made of: the README's generated parts, the bundle, the checked wheel."""
