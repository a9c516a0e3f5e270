//! Codes of refusals: each with its HTTP status and the usual way out.

use axum::http::StatusCode;

closed_set! {
    /// Code of a refusal, for programs. docs/control.md has the table.
    pub(crate) enum ErrorCode {
        /// The request is not understood.
        BadRequest = "bad_request",
        /// The request needs a token or a client certificate.
        Unauthorized = "unauthorized",
        /// The listener does not take this request from anyone, or not over this connection.
        Forbidden = "forbidden",
        /// No such page, or no such object.
        NotFound = "not_found",
        /// The page has other methods.
        MethodNotAllowed = "method_not_allowed",
        /// The request was not whole in time.
        RequestTimeout = "request_timeout",
        /// The state of the server does not permit the change.
        Conflict = "conflict",
        /// Safety rules forbid the override.
        Unsafe = "unsafe",
        /// The files have faults.
        BadFiles = "bad_files",
        /// The body is too large.
        TooLarge = "too_large",
        /// The admin address does not serve this host name.
        Misdirected = "misdirected",
        /// The client has too many connections.
        TooManyConnections = "too_many_connections",
        /// A fault of the program.
        Fault = "fault",
        /// The server has no room for the request now.
        Busy = "busy",
        /// The answer was not ready in time.
        AnswerTimeout = "answer_timeout",
    }
}

impl ErrorCode {
    /// HTTP status of its reply.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            ErrorCode::BadRequest => StatusCode::BAD_REQUEST,
            ErrorCode::Unauthorized => StatusCode::UNAUTHORIZED,
            ErrorCode::Forbidden => StatusCode::FORBIDDEN,
            ErrorCode::NotFound => StatusCode::NOT_FOUND,
            ErrorCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            ErrorCode::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            ErrorCode::Conflict | ErrorCode::Unsafe | ErrorCode::BadFiles => StatusCode::CONFLICT,
            ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorCode::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            ErrorCode::TooManyConnections => StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::Fault => StatusCode::INTERNAL_SERVER_ERROR,
            ErrorCode::Busy => StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::AnswerTimeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// First code with this status; a fault of the program for a status without a code.
    pub(crate) fn of(status: StatusCode) -> ErrorCode {
        let with_status = ErrorCode::ALL.into_iter().find(|code| code.status() == status);
        with_status.unwrap_or(match status.is_client_error() {
            true => ErrorCode::BadRequest,
            false => ErrorCode::Fault,
        })
    }

    /// Way out where the reply has none of its own.
    pub(crate) fn help(self) -> &'static str {
        match self {
            ErrorCode::BadRequest => "correct the request; /v1/openapi.json has the shape of each",
            ErrorCode::Unauthorized => {
                "send `Authorization: Bearer TOKEN` with a token of `admin.tokens`, or use a client \
                 certificate of `admin.client_ca`"
            }
            ErrorCode::Forbidden => {
                "use the control socket on the node, or give the admin address `admin: { tls, tokens }`"
            }
            ErrorCode::NotFound => {
                "list what there is: /v1/openapi.json has the pages, /v1/pops the PoPs, \
                                    /v1/policies the policies, /v1/zones the zones"
            }
            ErrorCode::MethodNotAllowed => "use a method of the header `Allow`",
            ErrorCode::RequestTimeout => "send the whole request within ten seconds of connecting",
            ErrorCode::Conflict => "read the state of the node, and repeat the request if it still applies",
            ErrorCode::Unsafe => "bring other PoPs back first, or send `force: true`",
            ErrorCode::BadFiles => "correct the files that the findings name; `meridian check` repeats them",
            ErrorCode::TooLarge => "send at most 64 KiB; patterns and tags name many PoPs in few words",
            ErrorCode::Misdirected => {
                "ask by IP address, by `localhost` or by the name of the server's host, or list the name in \
                 `listen.admin_hosts` of the server file and restart"
            }
            ErrorCode::TooManyConnections => "close connections, and try again",
            ErrorCode::Fault => "report this with the lines of the server's log around it",
            ErrorCode::Busy | ErrorCode::AnswerTimeout => "try again after a second",
        }
    }
}
