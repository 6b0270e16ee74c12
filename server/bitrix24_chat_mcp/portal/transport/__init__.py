"""How a request gets to the portal and back: coalescing, retry, redirects, scheduler, HTTP."""
