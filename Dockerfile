# One binary, no shell, no root. `make build` runs the same two steps.
FROM node:20-bookworm-slim AS pages
WORKDIR /src
COPY resource/web resource/web
RUN cd resource/web && npm ci --no-audit --no-fund && npm run build

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=pages /src/resource/public resource/public
RUN CGO_ENABLED=0 go build -trimpath -o /minifleet . && mkdir -p /empty/data /empty/tmp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build --chown=65532:65532 /empty/ /
COPY --from=build /minifleet /usr/bin/minifleet
USER 65532:65532
ENV MINIFLEET_SERVER_LISTEN=0.0.0.0:8000 MINIFLEET_DATA_DIR=/data
VOLUME /data
EXPOSE 8000
ENTRYPOINT ["/usr/bin/minifleet"]
CMD ["serve"]
