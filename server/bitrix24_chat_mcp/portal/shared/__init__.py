"""What several servers of one portal share, in Valkey (or Redis): the rate limit, tokens, marks, epochs.

The library is imported only where `shared.url` is set. Every key of one script has the same hash tag, so a
cluster keeps them together. Names, beginning with `b24:`

    {p:DIGEST}:level    hash     the portal's bucket: level, when it was drained (engine's ms), its id
    {p:DIGEST}:leases   zset     requests under way -> when the engine forgets them
    {p:DIGEST}:queue    zset     servers that wait for a place -> ticket
    {p:DIGEST}:due      zset     the same servers -> when the engine forgets those that did not ask again
    {e:DIGEST}:servers  zset     servers that run at a source address -> last heartbeat
    {t:DIGEST}:token    hash     generation, sealed text
    {t:DIGEST}:lock     string   who may refresh that token
    {m:DIGEST}:used     string   an id that is good once
    {u:DIGEST}:epoch    string   how many writes of a user have ended

Digests hide portals, users and ids from a reader of the engine; tokens are sealed.
"""
