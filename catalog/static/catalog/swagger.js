"use strict";

// A script of its own, so that the page needs no script inside it.
const place = document.getElementById("swagger-ui");
const cookie = (name) => document.cookie.split("; ").find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1);

SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  validatorUrl: null,
  // Changing something with the session needs its CSRF token, unless a token was given.
  requestInterceptor: (request) => {
    const token = cookie(place.dataset.csrf);
    if (token && !request.headers.Authorization) request.headers["X-CSRFToken"] = token;
    return request;
  },
});
