//! Synonyms from other products for our keys, so that findings about a migrated configuration can
//! name the right key.

/// Words of other products, and our keys for them: the first of our keys that the map has is meant.
const WORDS: &[(&[&str], &[&str])] = &[
    // gdnsd, PowerDNS (lua records), Knot (geoip), NS1, Route 53, HAProxy, nginx, Consul, Envoy.
    (
        &[
            "healthcheck",
            "health_check",
            "healthchecks",
            "health_checks",
            "monitor",
            "monitors",
            "service_types",
        ],
        &["probe", "probes"],
    ),
    (&["interval", "period", "check_interval", "interval_secs", "frequency"], &["every"]),
    (&["timeout_ms", "timeout_secs", "connect_timeout"], &["timeout"]),
    (
        &[
            "retries",
            "fall",
            "failures",
            "unhealthy_threshold",
            "failure_threshold",
            "down_thresh",
            "max_fails",
        ],
        &["down_after"],
    ),
    (
        &["rise", "healthy_threshold", "success_threshold", "up_thresh", "ok_thresh"],
        &["up_after", "ok_after"],
    ),
    (
        &["status", "status_code", "status_codes", "expected_status", "expected_codes", "ok_codes"],
        &["expect", "state"],
    ),
    (&["enabled", "disabled", "enable", "disable", "maintenance", "admin_state"], &["state"]),
    (&["vhost", "hostname", "host_header", "server_name"], &["host", "sni"]),
    (&["uri", "url_path", "resource_path"], &["path"]),
    (
        &[
            "pool",
            "pools",
            "datacenter",
            "datacenters",
            "dc",
            "dcs",
            "origins",
            "endpoints",
            "backends",
            "dclist",
        ],
        &["pops", "addresses", "services"],
    ),
    (&["region", "regions", "zone_group", "group", "groups"], &["continent", "tags", "tag"]),
    (&["resource", "resources", "dyn", "DYNA", "DYNC", "GEO", "LUA"], &["steer"]),
    (&["fallback", "fallback_pool", "all_down", "on_failure"], &["when_all_down"]),
    (&["geomap", "maps", "map", "geo_rules", "routing_policy"], &["rules"]),
    (&["match", "geo", "filter", "condition", "conditions"], &["when"]),
    (&["priority", "method", "algorithm", "lb_method", "steering_policy"], &["order"]),
    (&["max_addrs", "max_addresses", "answers_max", "top_n"], &["answers"]),
    (&["addrs", "ips", "ip", "address", "targets", "values"], &["addresses"]),
    (&["latitude", "lattitude"], &["lat"]),
    (&["longitude", "long", "lng"], &["lon"]),
    (&["location", "coordinates", "coords", "geo_location"], &["at"]),
    (&["asnum", "as_number", "asns", "autonomous_system"], &["asn"]),
    (&["nets", "subnets", "cidr", "cidrs", "networks", "subnet"], &["prefixes", "network"]),
    (&["countries", "country_code", "cc"], &["country"]),
    (&["state_province", "province", "subdivisions", "region_code"], &["subdivision"]),
    (&["wt", "ratio", "proportion"], &["weight", "weights"]),
    (&["default_ttl", "time_to_live", "ttl_seconds"], &["ttl"]),
    (&["ttl_min", "min_ttl"], &["min", "ttl"]),
    (&["ttl_max", "max_ttl"], &["max", "ttl"]),
    (&["minimum", "ncache", "negttl", "nxdomain_ttl"], &["negative_ttl"]),
    (&["identity", "server_id"], &["id_server"]),
    (&["version", "hide_version", "version_string"], &["version_server"]),
    (&["nsid", "id"], &["name"]),
    (&["interface", "interfaces", "bind", "ip_address", "listen_on"], &["dns"]),
    (&["run_dir", "state_dir", "database", "storage"], &["state"]),
    (&["zones_dir", "zonesdir", "zone_dir"], &["zones"]),
    (&["geoip_db", "geodb", "mmdb", "geoip2_db", "database_file"], &["databases", "geoip"]),
];

/// Our key, among the `known` ones, for a word of another product.
pub(super) fn here<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let same = |theirs: &&str| theirs.eq_ignore_ascii_case(&word.replace('-', "_"));
    let (_, ours) = WORDS.iter().find(|(theirs, _)| theirs.iter().any(same))?;
    ours.iter().find_map(|ours| known.iter().find(|known| *known == ours).copied())
}
