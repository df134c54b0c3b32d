"""The pages, the exports, the way in, and the pages for what goes wrong."""
