"""From a folder to an app that is looked at: served or started, shown, and renewed on change."""
