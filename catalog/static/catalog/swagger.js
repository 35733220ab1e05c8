"use strict";

// A script of its own, so that the page needs no script inside it.
const place = document.getElementById("swagger-ui");
const cookie = (name) => document.cookie.split("; ").find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1);

// Swagger UI would fill in the examples of all filters, which together leave no order.
const emptied = (description) => {
  for (const parameter of Object.values(description.components.parameters)) {
    if (!parameter.required && "example" in parameter) {
      parameter.description += ` Example: \`${parameter.example}\``;
      delete parameter.example;
    }
  }
  return description;
};

const show = (description) =>
  SwaggerUIBundle({
    spec: emptied(description),
    domNode: place,
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    deepLinking: true,
    docExpansion: "list",
    filter: true,
    validatorUrl: null,
    // Changing something with the session needs its CSRF token, unless a token was given.
    requestInterceptor: (request) => {
      const token = cookie(place.dataset.csrf);
      if (token && !request.headers.Authorization) request.headers["X-CSRFToken"] = token;
      return request;
    },
  });

fetch(place.dataset.schema).then((answer) => answer.json()).then(show);
