"""What several servers of one portal share, in Valkey (or Redis): the rate limit, tokens, marks, epochs.

The library is imported only where `shared.url` is set. Every key of one script has the same hash tag, so a
cluster keeps them together. Names, beginning with `b24:`

    {p:DIGEST}:level    hash     the portal's bucket: level, when it was drained (engine's ms), its id
    {p:DIGEST}:leases   zset     requests under way -> when the engine forgets them
    {p:DIGEST}:queue    zset     callers that wait for a place, each with its server -> ticket
    {p:DIGEST}:waiting  hash     the same by server
    {p:DIGEST}:due      zset     these servers -> when the engine forgets those that did not ask again
    {p:DIGEST}:turns    zset     callers that were served lately -> their next turn
    {e:DIGEST}:servers  zset     servers that run at a source address -> last heartbeat
    {e:DIGEST}:counts   hash     the same servers -> how many there were, as each knew
    {t:DIGEST}:token    hash     generation, sealed text
    {t:DIGEST}:lock     string   who may refresh that token
    {m:DIGEST}:used     string   an id that is good once
    {a:DIGEST}:refused  string   how many attempts from a network were refused lately
    {u:DIGEST}:epoch    string   how many writes of a user have ended

Digests hide portals, users and ids from a reader of the engine; tokens are sealed.
"""
