# The one program in a small image. Build: docker build -t millrace .
FROM debian:12-slim AS build
COPY . /src
WORKDIR /src
RUN ops/package

FROM debian:12-slim
COPY --from=build /src/build/packages/*.deb /tmp/
RUN apt-get update \
    && apt-get install -y --no-install-recommends /tmp/*.deb ca-certificates \
    && rm -rf /var/lib/apt/lists/* /tmp/*.deb \
    && useradd --system --uid 999 --home-dir /var/lib/millrace --create-home millrace
USER 999
WORKDIR /var/lib/millrace
VOLUME /var/lib/millrace
EXPOSE 8080
# Inside, loopback is of no use; AUTH=off says that somebody else guards the door.
ENV HOST=0.0.0.0 AUTH=off MILLRACE_DATA=/var/lib/millrace
ENTRYPOINT ["millrace"]
CMD ["serve"]
